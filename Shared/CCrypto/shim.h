#pragma once
#include <openssl/hmac.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

/// HMAC-SHA1 with a key, ready to be copied for each message; NULL when libcrypto refuses, or has no memory.
static inline EVP_MAC_CTX *ccrypto_hmac_sha1(const unsigned char *key, size_t count) {
  char digest[] = "SHA1";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
  // The context holds what it was made of.
  EVP_MAC_free(mac);
  if (context && EVP_MAC_init(context, key, count, parameters)) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}
