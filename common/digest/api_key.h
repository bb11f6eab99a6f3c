/* What an API key is made of: "sm_" and 32 random bytes in base64url. */
#ifndef DIGEST_API_KEY_H
#define DIGEST_API_KEY_H

#define API_KEY_BYTES 32
#define API_KEY_TEXT  (3 + (API_KEY_BYTES * 4 + 2) / 3 + 1) /* with the NUL */

/* A new one. Nobody but who asked for it shall keep it: wipe it after use. */
void api_key_new(char out[static API_KEY_TEXT]);

#endif
