#pragma once
// OpenSSL's TLS, and functions for those of its macros that Swift does not see.
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

static inline void ctls_set_modes(SSL_CTX *context, long modes) { SSL_CTX_set_mode(context, modes); }
static inline void ctls_clear_modes(SSL_CTX *context, long modes) { SSL_CTX_clear_mode(context, modes); }
static inline int ctls_set_oldest_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int ctls_set_newest_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline void ctls_forget_sessions(SSL_CTX *context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void ctls_set_safe_options(SSL_CTX *context) {
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
}
static inline void ctls_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }
static inline int ctls_set_server_name(SSL *session, const char *name) {
  return (int)SSL_set_tlsext_host_name(session, name);
}
/// The peer's own certificate, owned by the session, or NULL.
static inline X509 *ctls_peer_certificate(const SSL *session) { return SSL_get0_peer_certificate(session); }
static inline const char *ctls_reason(unsigned long error) { return ERR_reason_error_string(error); }
static inline int ctls_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int ctls_reason_code(unsigned long error) { return ERR_GET_REASON(error); }

/// Calls `visit` for every subject alternative name of a certificate that is a DNS name (kind GEN_DNS) or a URI (GEN_URI).
/// Returns whether the certificate has subject alternative names of any kind.
static inline bool ctls_visit_alternative_names(
    X509 *certificate, void *context, void (*visit)(void *context, int kind, const unsigned char *name, int length)) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  if (names == NULL) return false;
  for (int index = 0; index < sk_GENERAL_NAME_num(names); index++) {
    int kind = 0;
    ASN1_STRING *name = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, index), &kind);
    if (kind == GEN_DNS || kind == GEN_URI) visit(context, kind, ASN1_STRING_get0_data(name), ASN1_STRING_length(name));
  }
  GENERAL_NAMES_free(names);
  return true;
}

/// A socket under a session. OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE.
struct ctls_socket {
  int descriptor;
  /// Of the call that failed last.
  int error;
  /// Bytes that may still be read; then it counts as empty.
  size_t allowance;
  /// Whether the last read found nothing. SSL_read asks to be called again for other reasons as well.
  bool is_drained;
  bool has_ended;
};

static inline int ctls_socket_read(BIO *bio, char *data, size_t length, size_t *count) {
  struct ctls_socket *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  *count = 0;
  if (s->allowance == 0) {
    s->is_drained = true;
    BIO_set_retry_read(bio);
    return 0;
  }
  ssize_t result;
  do {
    result = recv(s->descriptor, data, length < s->allowance ? length : s->allowance, 0);
  } while (result < 0 && errno == EINTR);
  if (result > 0) {
    s->allowance -= (size_t)result;
    *count = (size_t)result;
    return 1;
  }
  if (result == 0) {
    s->has_ended = true;
  } else if (errno == EAGAIN) {
    s->is_drained = true;
    BIO_set_retry_read(bio);
  } else {
    s->error = errno;
  }
  return 0;
}

static inline int ctls_socket_write(BIO *bio, const char *data, size_t length, size_t *count) {
  struct ctls_socket *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t result;
  do {
    result = send(s->descriptor, data, length, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  if (result > 0) {
    *count = (size_t)result;
    return 1;
  }
  *count = 0;
  if (errno == EAGAIN) {
    BIO_set_retry_write(bio);
  } else {
    s->error = errno;
  }
  return 0;
}

static inline long ctls_socket_control(BIO *bio, int command, long number, void *pointer) {
  struct ctls_socket *s = BIO_get_data(bio);
  (void)number;
  (void)pointer;
  switch (command) {
  case BIO_CTRL_FLUSH: return 1;
  case BIO_CTRL_EOF: return s->has_ended;
  default: return 0;
  }
}

/// The methods of such BIOs, to be made once; NULL without memory.
static inline BIO_METHOD *ctls_make_socket_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "oms-connector socket");
  if (method == NULL) return NULL;
  BIO_meth_set_read_ex(method, ctls_socket_read);
  BIO_meth_set_write_ex(method, ctls_socket_write);
  BIO_meth_set_ctrl(method, ctls_socket_control);
  return method;
}

/// A BIO on `s`, which has to outlive it; NULL without memory.
static inline BIO *ctls_make_socket_bio(const BIO_METHOD *method, struct ctls_socket *s) {
  BIO *bio = BIO_new(method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, s);
  BIO_set_init(bio, 1);
  return bio;
}
