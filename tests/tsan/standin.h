/* What tests do to the stand-in that libzmq has no call for. Kind: tests. */
#ifndef WEIR_TESTS_STANDIN_H
#define WEIR_TESTS_STANDIN_H

#include <stddef.h>

/* Cuts every connection to the ROUTER bound there, as a network would. Returns how many. Any thread. */
size_t standin_cut(const char *endpoint);

#endif
