// What the cases check with: each throws when something is not as it has to be.
#pragma once

#include "testing.h"

template <class Value> void expect(const std::string &what, const Value &found, const Value &expected) {
  if (found == expected) return;
  std::ostringstream text;
  text << what << ": " << found << ", not " << expected;
  throw std::runtime_error(text.str());
}

inline void expect(const std::string &what, bool fine) { expect(what, fine, true); }

inline void expect_status(
    const std::string &what, const grpc::Status &found, grpc::StatusCode code, const std::string *message = nullptr) {
  expect<int>(what + ": status (" + found.error_message() + ")", found.error_code(), code);
  if (message != nullptr) expect(what + ": message of the status", found.error_message(), *message);
}

inline void expect_ok(const std::string &what, const grpc::Status &found) {
  expect_status(what, found, grpc::StatusCode::OK);
}

// All payloads of the cases are zeros.
inline std::string zeros(size_t size) { return std::string(size, '\0'); }

template <class Response> void expect_zeros(const std::string &what, const Response &response, size_t size) {
  expect(what + ": size of the payload", response.payload().body().size(), size);
  expect(what + ": the payload is all zeros", response.payload().body() == zeros(size));
}

inline testing::SimpleRequest large_request() {
  testing::SimpleRequest request;
  request.set_response_size(314159);
  request.mutable_payload()->set_body(zeros(271828));
  return request;
}
