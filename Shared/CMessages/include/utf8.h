// Text as protobuf-c can carry it: well-formed UTF-8 (RFC 3629) without NUL.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum cm_text_status { CM_TEXT_VALID, CM_TEXT_INVALID_UTF8, CM_TEXT_EMBEDDED_NUL } cm_text_status;

cm_text_status cm_check_text(const uint8_t *text, size_t length);
