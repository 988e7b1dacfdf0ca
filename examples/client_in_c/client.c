/* A client of `formicary ledger serve` in C, written from docs/reference/protocol.md alone.
 *
 *     cc -std=c11 -Wall -Wextra -O2 -o client client.c
 *     ./client /path/to/shop.ledger/serve.sock
 *
 * It opens two accounts, posts a batch of three transfers twice (the second time every one answers EXISTS), and reads
 * the balances back. Numbers on the wire are little-endian; this program assumes a little-endian machine, as x86-64
 * and ARM64 are, and says so at compile time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "swap the bytes of every field on this machine");

enum { HELLO = 1, OPEN_ACCOUNTS = 3, POST_TRANSFERS = 4, LOOKUP_ACCOUNTS = 5, ANSWER = 0x8000, ERROR = 0xFFFF };

struct header { char magic[4]; uint32_t length; uint64_t request; uint16_t kind, flags; uint32_t reserved; };
struct hello { uint16_t version, reserved; uint32_t reserved_32; uint8_t token[32]; };
struct welcome {
    uint16_t version, reserved;
    uint32_t batch, window, body_bytes;
    uint8_t ledger_id[16];
    uint32_t idle_s;
    uint8_t reserved_28[28];
};
struct error { uint32_t severity, reserved; char code[56]; };
struct id { uint64_t lo, hi; };
struct account {
    struct id id;
    int64_t debits_held, debits_posted, credits_held, credits_posted;
    struct id user_data;
    uint64_t user_data_64;
    uint32_t user_data_32, asset;
    uint16_t code, flags;
    uint32_t reserved_32;
    int64_t time, newest, transfers;
    uint64_t reserved_64[2];
};
struct transfer {
    struct id id, debit, credit;
    int64_t amount;
    struct id hold, user_data;
    uint64_t user_data_64;
    uint32_t user_data_32, timeout, asset;
    uint16_t code, flags;
    int64_t time;
    uint64_t reserved_64;
};
_Static_assert(sizeof(struct header) == 24 && sizeof(struct hello) == 40, "packed as the protocol says");
_Static_assert(sizeof(struct welcome) == 64 && sizeof(struct error) == 64, "packed as the protocol says");
_Static_assert(sizeof(struct account) == 128 && sizeof(struct transfer) == 128, "packed as the protocol says");

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void write_all(int line, const void *data, size_t length) {
    for (const char *at = data; length > 0;) {
        ssize_t written = write(line, at, length);
        if (written <= 0) fail("write");
        at += written;
        length -= (size_t)written;
    }
}

static void read_all(int line, void *data, size_t length) {
    for (char *at = data; length > 0;) {
        ssize_t received = read(line, at, length);
        if (received <= 0) fail("read");
        at += received;
        length -= (size_t)received;
    }
}

/* Ask one thing and wait for its answer; returns the length of the answer's body. A client in earnest would send
 * several requests, up to the window that the server told it, before it reads the first answer. */
static size_t ask(int line, uint16_t kind, const void *body, size_t length, void *answer, size_t room) {
    static uint64_t request = 0;
    struct header header = {.magic = "FMCY", .length = (uint32_t)length, .request = ++request, .kind = kind};
    write_all(line, &header, sizeof header);
    write_all(line, body, length);

    read_all(line, &header, sizeof header);
    if (header.kind == ERROR) {
        struct error error;
        char message[4096] = {0};
        read_all(line, &error, sizeof error);
        size_t rest = header.length - sizeof error;
        read_all(line, message, rest < sizeof message ? rest : sizeof message - 1);
        fprintf(stderr, "%.56s: %s\n", error.code, message);
        exit(1);
    }
    if (memcmp(header.magic, "FMCY", 4) || header.kind != (kind | ANSWER) || header.request != request ||
        header.length > room) {
        fprintf(stderr, "this is no answer to request %llu\n", (unsigned long long)request);
        exit(1);
    }
    read_all(line, answer, header.length);
    return header.length;
}

static void print_codes(const char *what, const uint16_t *codes, size_t bytes) {
    printf("%s:", what);
    for (size_t each = 0; each < bytes / sizeof *codes; each++) printf(" %u", codes[each]);
    printf("\n");
}

int main(int arguments, char **argument) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (arguments != 2 || strlen(argument[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: %s SOCKET\n", argument[0]);
        return 2;
    }
    strcpy(address.sun_path, argument[1]);
    int line = socket(AF_UNIX, SOCK_STREAM, 0);
    if (line < 0 || connect(line, (struct sockaddr *)&address, sizeof address) < 0) fail(argument[1]);

    struct hello hello = {.version = 1};
    struct welcome welcome;
    ask(line, HELLO, &hello, sizeof hello, &welcome, sizeof welcome);
    printf("hello: version %u, batch %u, window %u\n", welcome.version, welcome.batch, welcome.window);

    uint16_t codes[3];
    struct account accounts[2] = {{.id = {1001, 0}, .asset = 978, .code = 1}, {.id = {1002, 0}, .asset = 978, .code = 1}};
    print_codes("accounts", codes, ask(line, OPEN_ACCOUNTS, accounts, sizeof accounts, codes, sizeof codes));

    struct transfer transfers[3];
    for (uint64_t each = 0; each < 3; each++) {
        transfers[each] = (struct transfer){
            .id = {5001 + each, 0}, .debit = {1001, 0}, .credit = {1002, 0}, .amount = 100, .asset = 978, .code = 1};
    }
    print_codes("transfers", codes, ask(line, POST_TRANSFERS, transfers, sizeof transfers, codes, sizeof codes));
    print_codes("again", codes, ask(line, POST_TRANSFERS, transfers, sizeof transfers, codes, sizeof codes));

    struct id ids[2] = {{1001, 0}, {1002, 0}};
    size_t found = ask(line, LOOKUP_ACCOUNTS, ids, sizeof ids, accounts, sizeof accounts) / sizeof *accounts;
    for (size_t each = 0; each < found; each++) {
        printf("account %llu: debits %lld, credits %lld\n", (unsigned long long)accounts[each].id.lo,
               (long long)accounts[each].debits_posted, (long long)accounts[each].credits_posted);
    }
    close(line);
    return 0;
}
