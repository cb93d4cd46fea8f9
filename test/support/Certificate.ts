/**
 * A certificate for localhost, *.localhost, 127.0.0.1 and ::1, signed by a private authority. For tests only: its key is
 * public, and the authority's own key was thrown away. Valid from 2020 to 2120.
 *
 * Made with OpenSSL 3.0: two keys by `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, a request for each
 * by `openssl req -new`, and both signed by `openssl ca -startdate 20200101000000Z -enddate 21200101000000Z` (the
 * authority with `-selfsign`). Extensions of the authority: basicConstraints = critical, CA:TRUE; keyUsage = critical,
 * keyCertSign. Of the server: basicConstraints = critical, CA:FALSE; extendedKeyUsage = serverAuth; and the names above.
 */

/** The private authority: what a client must trust. */
export const authority = `-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIBATAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBllZmZlY3Qt
b3NzIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
MDAwWjAkMSIwIAYDVQQDDBllZmZlY3Qtb3NzIHRlc3QgYXV0aG9yaXR5MFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAEJ2w3HZTOWBiWaj/jsdXxPsQ4sqzMvkAqNX1t
iiTuEHoZeVM43y54WChmrSB9TmTyQAc2L7W1jTai9D4f5YCabaNCMEAwDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwHQYDVR0OBBYEFNR2GRdlTDwqshPH
tqef4du3NXOyMAoGCCqGSM49BAMCA0cAMEQCIDaV9fBzeGPb82vy/LLi/Ia6hCho
E1MVLaINL2Tz1WPIAiAtZB7uGqpDJNNgRFgmWKE40kNBI44dlZ131hLXlkg54Q==
-----END CERTIFICATE-----
`

export const certificate = `-----BEGIN CERTIFICATE-----
MIIByzCCAXGgAwIBAgIBAjAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBllZmZlY3Qt
b3NzIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
MDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAAQCtajOHsa55fD8UrWESLP6GA4ETGTmt4q8BwzdKq+TpcoqKSC4q98vjI0s
TV65nJhKYJKaQrTf3E1e+Lk/dGcyo4GhMIGeMDkGA1UdEQQyMDCCCWxvY2FsaG9z
dIILKi5sb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwDAYDVR0TAQH/
BAIwADATBgNVHSUEDDAKBggrBgEFBQcDATAfBgNVHSMEGDAWgBTUdhkXZUw8KrIT
x7ann+HbtzVzsjAdBgNVHQ4EFgQUolTEddl7C+Sq6/Ks8wv/OujFhBwwCgYIKoZI
zj0EAwIDSAAwRQIhAPs0g63JoLa4YahefzmhW2eAuXm27FrvyskVQP77ub58AiAz
dnfpwC+PdwezZio33lnjnY60FvYkIdV+YCpJ/Z2cHw==
-----END CERTIFICATE-----
`

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgt5KkUtzDnzUH8PCX
qhg6Hjd2Wbw3/Fi6cGmYncoS/AmhRANCAAQCtajOHsa55fD8UrWESLP6GA4ETGTm
t4q8BwzdKq+TpcoqKSC4q98vjI0sTV65nJhKYJKaQrTf3E1e+Lk/dGcy
-----END PRIVATE KEY-----
`
