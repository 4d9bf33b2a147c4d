/* Copies of the core's blocks, for tests that play the log. */
#ifndef WEIR_TESTS_BLOCK_COPY_H
#define WEIR_TESTS_BLOCK_COPY_H

#include "proto/block.h"

void block_copy_into(struct block *to, const struct block *from);
struct block *block_copy(const struct block *from); /* gives; block_drop releases */
void block_drop(struct block *block);

#endif
