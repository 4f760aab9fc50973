// What libFuzzer offers to programs that have a main function of their own. Source: llvm.org/docs/LibFuzzer.html, "Using
// libFuzzer as a library" and "User-supplied mutators".
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));

// libFuzzer's own mutations, in place. Returns the new size.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
