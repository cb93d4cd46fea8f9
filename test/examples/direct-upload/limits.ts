/**
 * What may be uploaded. The server grants nothing else; the page says so in its own words. Sizes in bytes.
 */
export const contentTypes = ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm"]
export const maxSize = 2 * 1024 ** 3
/** By the plain form, for browsers without JavaScript. */
export const plainMaxSize = 20 * 1024 ** 2
