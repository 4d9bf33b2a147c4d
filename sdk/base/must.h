/* must(): a broken invariant is a bug and stops the program, in release builds too. */
#ifndef WEIR_BASE_MUST_H
#define WEIR_BASE_MUST_H

/* Prints "file:line: must: text" to stderr and aborts. The one function of the pure modules that reaches the world. */
_Noreturn void weir_panic(const char *file, int line, const char *text);

#define must(condition) ((condition) ? (void)0 : weir_panic(__FILE__, __LINE__, #condition))

#endif
