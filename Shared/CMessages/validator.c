#include "validator.h"

#include <stdbool.h>

#include "utf8.h"

typedef struct walk {
  size_t fields_left;
  cm_violation *violation;
} walk;

// The wire type of a single value (protobuf's encoding guide); packed fields aside.
static ProtobufCWireType wire_type_of(ProtobufCType type) {
  switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
      return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
      return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
      return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
      return PROTOBUF_C_WIRE_TYPE_VARINT;
  }
}

static const ProtobufCFieldDescriptor *search(const ProtobufCMessageDescriptor *descriptor, uint32_t number) {
  // Not protobuf_c_message_descriptor_get_field, which asserts on the descriptor at every call.
  unsigned low = 0, high = descriptor->n_fields;
  while (low < high) {
    unsigned middle = low + (high - low) / 2;
    if (descriptor->fields[middle].id < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low < descriptor->n_fields && descriptor->fields[low].id == number ? &descriptor->fields[low] : NULL;
}

// The bytes of the number at `p`, at most `limit`; 0 when it runs past the end, limit + 1 when it is longer.
static size_t varint_length(const uint8_t *p, const uint8_t *end, size_t limit) {
  for (size_t n = 0; n < limit; n++) {
    if (p + n == end) return 0;
    if (p[n] < 0x80) return n + 1;
  }
  return limit + 1;
}

// Reads a tag or a length: at most 32 bits.
static inline cm_status read_small(const uint8_t **at, const uint8_t *end, uint32_t *value) {
  const uint8_t *p = *at;
  if (p == end) return CM_TRUNCATED;
  if (p[0] < 0x80) {
    *value = p[0];
    *at = p + 1;
    return CM_VALID;
  }
  size_t length = varint_length(p, end, 5);
  if (length == 0) return CM_TRUNCATED;
  if (length > 5 || (length == 5 && p[4] > 0x0f)) return CM_BAD_VARINT;
  uint32_t result = 0;
  for (size_t n = 0; n < length; n++) result |= (uint32_t)(p[n] & 0x7f) << (7 * n);
  *value = result;
  *at = p + length;
  return CM_VALID;
}

static cm_status validate_packed(walk *walk, ProtobufCWireType element, const uint8_t *p, const uint8_t *end) {
  size_t count = 0;
  if (element == PROTOBUF_C_WIRE_TYPE_VARINT) {
    while (p < end) {
      size_t length = varint_length(p, end, 10);
      if (length == 0) return CM_TRUNCATED;
      if (length > 10) return CM_BAD_VARINT;
      p += length;
      count++;
    }
  } else {
    size_t size = element == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
    if ((size_t)(end - p) % size != 0) return CM_TRUNCATED;
    count = (size_t)(end - p) / size;
  }
  if (count > walk->fields_left) return CM_TOO_MANY_FIELDS;
  walk->fields_left -= count;
  return CM_VALID;
}

static cm_status validate_text(const uint8_t *text, size_t length) {
  switch (cm_check_text(text, length)) {
    case CM_TEXT_VALID: return CM_VALID;
    case CM_TEXT_EMBEDDED_NUL: return CM_EMBEDDED_NUL;
    default: return CM_INVALID_UTF8;
  }
}

static cm_status violated(walk *walk, cm_status status, const ProtobufCMessageDescriptor *message,
                          const ProtobufCFieldDescriptor *field) {
  walk->violation->message = message;
  walk->violation->field = field;
  return status;
}

static cm_status validate_message(walk *walk, const ProtobufCMessageDescriptor *descriptor, const uint8_t *p,
                                  const uint8_t *end, unsigned depth);

// The contents of a known field with a length. Says by itself where a nested message is at fault.
static cm_status validate_delimited(walk *walk, const ProtobufCMessageDescriptor *descriptor,
                                    const ProtobufCFieldDescriptor *field, const uint8_t *p, const uint8_t *end,
                                    unsigned depth) {
  cm_status status = CM_VALID;
  switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
      if (depth == CM_MAX_DEPTH) return violated(walk, CM_TOO_DEEP, descriptor, field);
      return validate_message(walk, field->descriptor, p, end, depth + 1);
    case PROTOBUF_C_TYPE_STRING: status = validate_text(p, (size_t)(end - p)); break;
    case PROTOBUF_C_TYPE_BYTES: break;
    default:
      status = field->label == PROTOBUF_C_LABEL_REPEATED ? validate_packed(walk, wire_type_of(field->type), p, end)
                                                         : CM_WRONG_WIRE_TYPE;
  }
  return status == CM_VALID ? CM_VALID : violated(walk, status, descriptor, field);
}

// Which fields of one message have come.
typedef struct seen {
  uint64_t words[CM_MAX_FIELDS_PER_TYPE / 64];
} seen;

// Whether this is the field's second time.
static bool comes_again(seen *seen, const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field) {
  size_t index = (size_t)(field - descriptor->fields) % CM_MAX_FIELDS_PER_TYPE;
  uint64_t bit = (uint64_t)1 << (index % 64);
  bool again = (seen->words[index / 64] & bit) != 0;
  seen->words[index / 64] |= bit;
  return again;
}

static cm_status validate_message(walk *walk, const ProtobufCMessageDescriptor *descriptor, const uint8_t *p,
                                  const uint8_t *end, unsigned depth) {
  seen seen;
  for (size_t word = 0; word * 64 < descriptor->n_fields && word < CM_MAX_FIELDS_PER_TYPE / 64; word++)
    seen.words[word] = 0;
  const ProtobufCFieldDescriptor *field = NULL;
  const ProtobufCFieldDescriptor *fields_end = descriptor->fields + descriptor->n_fields;
  const ProtobufCFieldDescriptor *expected = descriptor->fields;
  while (p < end) {
    uint32_t tag, length;
    cm_status status = read_small(&p, end, &tag);
    if (status != CM_VALID) return violated(walk, status, descriptor, NULL);
    uint32_t number = tag >> 3;
    ProtobufCWireType wire_type = tag & 7;
    // Senders write fields in the order of their numbers, and repeated ones one after the other.
    if (field != NULL && field->id == number) {
    } else if (expected < fields_end && expected->id == number) {
      field = expected;
    } else {
      field = search(descriptor, number);
    }
    if (field != NULL) expected = field + 1;
    if (number == 0) return violated(walk, CM_BAD_TAG, descriptor, NULL);
    if (walk->fields_left-- == 0) return violated(walk, CM_TOO_MANY_FIELDS, descriptor, field);
    if (field != NULL && wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && wire_type != wire_type_of(field->type))
      return violated(walk, CM_WRONG_WIRE_TYPE, descriptor, field);
    switch (wire_type) {
      case PROTOBUF_C_WIRE_TYPE_VARINT: {
        size_t size = varint_length(p, end, 10);
        if (size == 0) return violated(walk, CM_TRUNCATED, descriptor, field);
        if (size > 10) return violated(walk, CM_BAD_VARINT, descriptor, field);
        p += size;
        break;
      }
      case PROTOBUF_C_WIRE_TYPE_32BIT:
      case PROTOBUF_C_WIRE_TYPE_64BIT: {
        ptrdiff_t size = wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
        if (end - p < size) return violated(walk, CM_TRUNCATED, descriptor, field);
        p += size;
        break;
      }
      case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        status = read_small(&p, end, &length);
        if (status == CM_VALID && length > (size_t)(end - p)) status = CM_TRUNCATED;
        if (status != CM_VALID) return violated(walk, status, descriptor, field);
        if (field != NULL) {
          if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED &&
              comes_again(&seen, descriptor, field))
            return violated(walk, CM_MESSAGE_TWICE, descriptor, field);
          status = validate_delimited(walk, descriptor, field, p, p + length, depth);
          if (status != CM_VALID) return status;
        }
        p += length;
        break;
      default:
        return violated(walk, CM_BAD_TAG, descriptor, field);
    }
  }
  return CM_VALID;
}

cm_status cm_validate(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t length,
                      cm_violation *violation) {
  walk walk = {.fields_left = CM_MAX_FIELDS, .violation = violation};
  return validate_message(&walk, descriptor, data, data + length, 0);
}
