/* A correct server in C but for one bug behind three conditions: the third object on a connection in which `op` is `sync` ends it.
 *
 * It speaks the tutorial's format with a thread for each client, and answers every message with itself. Nothing that comes over the
 * wire tells that a condition was met before the last one is. It takes `--port`, else it is any that is free, and `--until-eof`.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CHUNK = 60, MOST = 1 << 20, DEEPEST = 256, NAME = 64 };

/* What is left of a payload while it is read. */
struct text {
    const unsigned char *at, *end;
};

/* What the bug looks for in an object. */
struct found {
    char op[NAME];
};

static int value(struct text *text, int depth, char *read, struct found *found);

static int next(const struct text *text) {
    return text->at < text->end ? *text->at : -1;
}

static int take(struct text *text, int octet) {
    return next(text) == octet ? (text->at++, 1) : 0;
}

static void space(struct text *text) {
    while (next(text) == ' ' || next(text) == '\t' || next(text) == '\n' || next(text) == '\r') text->at++;
}

static int digits(struct text *text) {
    const unsigned char *from = text->at;
    while (next(text) >= '0' && next(text) <= '9') text->at++;
    return text->at > from;
}

static int number(struct text *text) {
    take(text, '-');
    if (!take(text, '0') && !digits(text)) return 0;
    if (take(text, '.') && !digits(text)) return 0;
    if (!take(text, 'e') && !take(text, 'E')) return 1;
    if (!take(text, '+')) take(text, '-');
    return digits(text);
}

static int word(struct text *text, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0) return 0;
    text->at += length;
    return 1;
}

static int four_digits(struct text *text, unsigned *unit) {
    *unit = 0;
    for (int digit = 0; digit < 4; digit++, text->at++) {
        const char *hex = "0123456789abcdef", *one = next(text) > 0 ? strchr(hex, next(text) | (next(text) >= 'A' ? 32 : 0)) : NULL;
        if (!one) return 0;
        *unit = *unit * 16 + (unsigned)(one - hex);
    }
    return 1;
}

/* A surrogate without its other half is no character. */
static int escape(struct text *text) {
    unsigned unit;
    if (next(text) > 0 && strchr("\"\\/bfnrt", next(text))) return text->at++, 1;
    if (!take(text, 'u') || !four_digits(text, &unit)) return 0;
    if (unit < 0xd800 || unit > 0xdfff) return 1;
    if (unit > 0xdbff || !take(text, '\\') || !take(text, 'u') || !four_digits(text, &unit)) return 0;
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* A character of more than one octet, in its shortest form. */
static int character(struct text *text) {
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
    int first = *text->at++, more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    unsigned code = (unsigned)first & (0x3fu >> more);
    if (first < 0xc2 || first > 0xf4) return 0;
    for (int octet = 0; octet < more; octet++, text->at++) {
        if (next(text) < 0x80 || next(text) > 0xbf) return 0;
        code = code << 6 | (unsigned)(next(text) & 0x3f);
    }
    return code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

/* The beginning of what stands between the quotes is kept. */
static int string(struct text *text, char *read) {
    if (!take(text, '"')) return 0;
    const unsigned char *from = text->at;
    while (next(text) >= ' ' && next(text) != '"') {
        if (take(text, '\\') ? !escape(text) : next(text) < 0x80 ? (text->at++, 0) : !character(text)) return 0;
    }
    size_t length = (size_t)(text->at - from) < NAME - 1 ? (size_t)(text->at - from) : NAME - 1;
    if (read) memcpy(read, from, length), read[length] = 0;
    return take(text, '"');
}

static int array(struct text *text, int depth) {
    space(text);
    if (take(text, ']')) return 1;
    do {
        if (!value(text, depth, NULL, NULL)) return 0;
    } while (take(text, ','));
    return take(text, ']');
}

static int object(struct text *text, int depth, struct found *found) {
    char key[NAME] = "";
    space(text);
    if (take(text, '}')) return 1;
    do {
        char read[NAME] = "";
        space(text);
        if (!string(text, key)) return 0;
        space(text);
        if (!take(text, ':') || !value(text, depth, read, NULL)) return 0;
        if (found && strcmp(key, "op") == 0) memcpy(found->op, read, NAME);
    } while (take(text, ','));
    return take(text, '}');
}

static int value(struct text *text, int depth, char *read, struct found *found) {
    int whole;
    if (depth > DEEPEST) return 0;
    space(text);
    if (take(text, '{')) whole = object(text, depth + 1, found);
    else if (take(text, '[')) whole = array(text, depth + 1);
    else if (next(text) == '"') whole = string(text, read);
    else whole = word(text, "null") || word(text, "true") || word(text, "false") || number(text);
    space(text);
    return whole;
}

static int receive(int client, unsigned char *into, size_t octets) {
    for (size_t got = 0; got < octets;) {
        ssize_t more = recv(client, into + got, octets - got, 0);
        if (more <= 0) return 0;
        got += (size_t)more;
    }
    return 1;
}

static int answer(int client, const void *payload, size_t length) {
    size_t body = (length + CHUNK - 1) / CHUNK * CHUNK;
    unsigned char *frame = calloc(1, 4 + body);
    uint32_t header = htonl((uint32_t)body);
    if (!frame) return 0;
    memcpy(frame, &header, 4);
    memcpy(frame + 4, payload, length);
    size_t sent = 0;
    for (ssize_t more = 1; sent < 4 + body && more > 0; sent += more > 0 ? (size_t)more : 0)
        more = send(client, frame + sent, 4 + body - sent, MSG_NOSIGNAL);
    free(frame);
    return sent == 4 + body;
}

/* Whether the connection goes on. */
static int note(const struct found *found, int *rounds) {
    if (found->op[0] && strcmp(found->op, "sync") == 0) {
        if (++*rounds >= 3) return 0;
    }
    return 1;
}

static int serve_frame(int client, unsigned char *body, int *rounds) {
    static const char undecodable[] = "{\"error\": \"undecodable payload\"}";
    struct timeval patience = {30, 0}, none = {0, 0};
    struct found found = {""};
    unsigned char header[4];
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    if (!receive(client, header, 1)) return 0;
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!receive(client, header + 1, 3)) return 0;
    uint32_t length = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
    if (length > MOST || length % CHUNK != 0) return 0;
    if (!receive(client, body, length)) return 0;
    while (length > 0 && body[length - 1] == 0) length--;
    struct text text = {body, body + length};
    if (!value(&text, 0, NULL, &found) || text.at < text.end) return answer(client, undecodable, sizeof undecodable - 1);
    return note(&found, rounds) && answer(client, body, length);
}

static void *serve(void *argument) {
    int client = (int)(intptr_t)argument, rounds = 0;
    unsigned char *body = malloc(MOST);
    while (body && serve_frame(client, body, &rounds)) continue;
    /* Ends the stream at once, then reads off what is under way, so that FIN is not overtaken by RST. */
    struct timeval farewell = {2, 0};
    shutdown(client, SHUT_WR);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &farewell, sizeof farewell);
    while (body && recv(client, body, MOST, 0) > 0) continue;
    free(body);
    close(client);
    return NULL;
}

static void *exit_at_eof(void *argument) {
    while (getchar() != EOF) continue;
    exit(0);
    return argument;
}

/* The port that the words say. Also has the process end with its standard input, if they say so. */
static uint16_t port(int count, char **words) {
    pthread_t thread;
    int port = 0;
    for (int at = 1; at < count; at++) {
        if (strcmp(words[at], "--port") == 0 && at + 1 < count) port = atoi(words[at + 1]);
        if (strcmp(words[at], "--until-eof") == 0) pthread_create(&thread, NULL, exit_at_eof, NULL);
    }
    return (uint16_t)port;
}

int main(int count, char **words) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port(count, words))};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1024) < 0) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        pthread_t thread;
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            usleep(20000);
            continue;
        }
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) != 0) close(client);
        else pthread_detach(thread);
    }
}
