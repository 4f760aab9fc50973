#include "utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_tail(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The length of the well-formed character at `p` that is not ASCII, or 0. Table 3-7 of the Unicode standard: no overlong
// forms, no surrogates, nothing beyond U+10FFFF.
static size_t character_length(const uint8_t *p, size_t available) {
  uint8_t first = p[0];
  if (first < 0xc2) return 0;
  if (first < 0xe0) return available >= 2 && is_tail(p[1]) ? 2 : 0;
  if (first < 0xf0) {
    if (available < 3 || !is_tail(p[1]) || !is_tail(p[2])) return 0;
    if (first == 0xe0 && p[1] < 0xa0) return 0;
    if (first == 0xed && p[1] > 0x9f) return 0;
    return 3;
  }
  if (first > 0xf4 || available < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3])) return 0;
  if (first == 0xf0 && p[1] < 0x90) return 0;
  if (first == 0xf4 && p[1] > 0x8f) return 0;
  return 4;
}

static cm_text_status check_slowly(const uint8_t *text, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (text[at] == 0) return CM_TEXT_EMBEDDED_NUL;
    if (text[at] < 0x80) {
      at++;
      continue;
    }
    size_t step = character_length(text + at, length - at);
    if (step == 0) return CM_TEXT_INVALID_UTF8;
    at += step;
  }
  return CM_TEXT_VALID;
}

// Whether no byte of the word is 0 or beyond ASCII: x - 1 borrows into the top bit for 0 only.
static bool is_plain(uint64_t word) {
  return ((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

static uint64_t load(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

cm_text_status cm_check_text(const uint8_t *text, size_t length) {
  if (length >= 8) {
    for (size_t at = 0; at + 8 < length; at += 8)
      if (!is_plain(load(text + at))) return check_slowly(text + at, length - at);
    // The last word overlaps the one before; the slow check has to begin at a character, so at the text's start.
    return is_plain(load(text + length - 8)) ? CM_TEXT_VALID : check_slowly(text, length);
  }
  return check_slowly(text, length);
}
