/* Counts the edges that a server takes through its own code, in a file that `conformance fuzz` reads, and notes the words that
 * it compares with. Without the variable FRAMESPEC_COVERAGE, which the fuzzer sets, nobody reads them. What is forked counts in the
 * same file, and so do all threads.
 * Compile this by itself, without -fsanitize-coverage, and link it with what is compiled with that: by clang and rustc
 * trace-pc-guard,trace-cmp and by gcc trace-pc,trace-cmp. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__clang__) /* What is here must not be counted itself, should it be compiled like all else. */
#define UNCOUNTED __attribute__((no_sanitize("coverage")))
#else
#define UNCOUNTED __attribute__((no_sanitize_coverage))
#endif
/* The file has counters of one octet, which begin again at 0 behind 255, and then octets that say which words were told. */
enum { COUNTERS = 1 << 16, WORDS = 1 << 12, LONGEST_WORD = 40 };
static unsigned char nowhere[COUNTERS + WORDS], *counts = nowhere;
static char folder[PATH_MAX];
/* A line for the fuzzer. The file is opened each time: a daemon closes what it does not know. */
UNCOUNTED static void tell(const char *name, const char *line) {
    char path[PATH_MAX + 16];
    int before = errno;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0 && write(file, line, strlen(line)) < 0) errno = 0; /* It is not told, and no more. */
    if (file >= 0) close(file);
    errno = before;
}
__attribute__((constructor)) UNCOUNTED static void begin(void) {
    char path[PATH_MAX + 16];
    const char *named = getenv("FRAMESPEC_COVERAGE");
    if (*folder || !named || strlen(named) >= sizeof folder) return;
    snprintf(path, sizeof path, "%s/map", named);
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *map = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (map != MAP_FAILED) strcpy(folder, named), counts = map;
}
UNCOUNTED static void count(uint64_t place) {
    unsigned char *one = &counts[place % COUNTERS];
    __atomic_store_n(one, __atomic_load_n(one, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}
/* clang, rustc: a number for each edge, which the edges of a module are given once, however often it asks. */
UNCOUNTED void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {
    static uint32_t edges;
    begin();
    if (start == stop || *start) return;
    if (*folder && !edges) tell("attached", "{\"how\": \"SanitizerCoverage, trace-pc-guard\"}\n");
    while (start < stop) *start++ = ++edges;
}
UNCOUNTED void __sanitizer_cov_trace_pc_guard(uint32_t *guard) { count(*guard); }
/* gcc: a block is entered. With the one before it that is an edge, wherever the program was loaded. */
UNCOUNTED void __sanitizer_cov_trace_pc(void) {
    static __thread uint64_t last;
    static int is_told;
    if (*folder && !is_told++) tell("attached", "{\"how\": \"SanitizerCoverage, trace-pc\"}\n");
    uint64_t here = (uintptr_t)__builtin_return_address(0) - (uintptr_t)&counts;
    count((here = here * 0x9e3779b97f4a7c15u >> 48) ^ last);
    last = here >> 1;
}
UNCOUNTED static int is_new(uint64_t word) { /* Now and then a word is taken for another that was told. */
    unsigned char *one = &counts[COUNTERS + (word * 0x9e3779b97f4a7c15u >> 52)];
    return *folder && !*one ? (*one = 1) : 0;
}
/* A text, if it can be printed; without the quotes that it has if it is to be found in JSON. */
UNCOUNTED static void text(const char *word, size_t length) {
    char line[LONGEST_WORD + 4];
    uint64_t hash = 14695981039346656037u;
    if (length > 2 && word[0] == '"' && word[length - 1] == '"') word++, length -= 2;
    if (!length || length > LONGEST_WORD) return;
    for (size_t at = 0; at < length; at++) {
        if (word[at] < ' ' || word[at] > '~' || word[at] == '"' || word[at] == '\\') return;
        hash = (hash ^ (unsigned char)word[at]) * 1099511628211u;
    }
    snprintf(line, sizeof line, "\"%.*s\"\n", (int)length, word);
    if (is_new(hash)) tell("words", line);
}
/* A number of so many octets, and the text that it is in memory: short texts are compared as numbers. */
UNCOUNTED static void number(int64_t value, size_t size) {
    char line[24];
    if (size < 2 || !is_new((uint64_t)value * 31 + size)) return;
    snprintf(line, sizeof line, "%lld\n", (long long)value);
    if (value < 1ll << 53 && value > -(1ll << 53)) tell("words", line);
    text((const char *)&value, size);
}
/* Only constants are words. They come first where the compiler knows of one. */
#define HOOK(name, type, what) UNCOUNTED void __sanitizer_cov_trace_##name(type one, type two) { (void)one, (void)two, (void)(what); }
HOOK(cmp1, uint8_t, 0) HOOK(cmp2, uint16_t, 0) HOOK(cmp4, uint32_t, 0) HOOK(cmp8, uint64_t, 0) HOOK(cmpf, float, 0) HOOK(cmpd, double, 0)
HOOK(const_cmp1, uint8_t, 0) HOOK(const_cmp2, uint16_t, number((int16_t)one, 2))
HOOK(const_cmp4, uint32_t, number((int32_t)one, 4)) HOOK(const_cmp8, uint64_t, number((int64_t)one, 8))
UNCOUNTED void __sanitizer_cov_trace_switch(uint64_t value, const uint64_t *cases) {
    for (uint64_t at = ((void)value, 2); at < cases[0] + 2; at++)
        number(cases[1] == 32 ? (int32_t)cases[at] : (int64_t)cases[at], cases[1] / 8);
}

/* Texts that are compared with what lies where constants do. These are the library's functions once more; with -fno-builtin
 * compilers call them rather than to put code of their own there. */
UNCOUNTED static int compare(const char *a, const char *b, size_t most, int is_text) {
#if defined(__ELF__)
    extern const char __executable_start[] __attribute__((weak)), edata[] __attribute__((weak));
    uintptr_t from = (uintptr_t)__executable_start, size = (uintptr_t)edata - from;
    if ((uintptr_t)a - from < size) text(a, strnlen(a, most));
    if ((uintptr_t)b - from < size) text(b, strnlen(b, most));
#endif
    for (; most > 0; most--, a++, b++)
        if (*a != *b || (is_text && !*a)) return (unsigned char)*a - (unsigned char)*b;
    return 0;
}
UNCOUNTED int memcmp(const void *a, const void *b, size_t most) { return compare(a, b, most, 0); }
UNCOUNTED int bcmp(const void *a, const void *b, size_t most) { return compare(a, b, most, 0); }
UNCOUNTED int strcmp(const char *a, const char *b) { return compare(a, b, SIZE_MAX / 2, 1); }
UNCOUNTED int strncmp(const char *a, const char *b, size_t most) { return compare(a, b, most, 1); }
