#include "os_test.h"
#include "os/crypto.h"

static const char *hex(const uint8_t *bytes, size_t length)
{
    static char text[2 * 64 + 1];
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static struct iov piece_of(const char *text)
{
    return (struct iov){(void *)(uintptr_t)text, strlen(text)};
}

/* RFC 1321 (A.5), FIPS 180-4 and FIPS 202 examples. */
static const struct {
    enum chap_algorithm algorithm;
    const char *text;
    const char *digest;
} vectors[] = {
    {CHAP_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {CHAP_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {CHAP_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {CHAP_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {CHAP_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CHAP_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {CHAP_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {CHAP_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CHAP_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {CHAP_SHA3_256, "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
    {CHAP_SHA3_256, "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
};

static void known_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t digest[CHAP_DIGEST_MAX];
        struct iov piece = piece_of(vectors[i].text);
        if (!os_crypto.has(vectors[i].algorithm)) {
            assert_false(os_crypto.hash(vectors[i].algorithm, &piece, 1, digest));
            assert_int_equal(vectors[i].algorithm, CHAP_SHA3_256); /* the only one that may lack */
            continue;
        }
        assert_true(os_crypto.hash(vectors[i].algorithm, &piece, 1, digest));
        assert_string_equal(hex(digest, strlen(vectors[i].digest) / 2), vectors[i].digest);
    }
}

static void pieces_are_joined(void **state)
{
    (void)state;
    struct iov pieces[] = {piece_of("a"), {NULL, 0}, piece_of("b"), piece_of(""), piece_of("c")};
    uint8_t digest[CHAP_DIGEST_MAX];
    assert_true(os_crypto.hash(CHAP_SHA256, pieces, 5, digest));
    assert_string_equal(hex(digest, 32),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(os_crypto.hash(CHAP_MD5, NULL, 0, digest));
    assert_string_equal(hex(digest, 16), "d41d8cd98f00b204e9800998ecf8427e");
}

static void a_digest_writes_no_more_than_its_length(void **state)
{
    (void)state;
    uint8_t digest[CHAP_DIGEST_MAX];
    memset(digest, 0xA5, sizeof digest);
    assert_true(os_crypto.hash(CHAP_MD5, NULL, 0, digest));
    for (size_t i = 16; i < sizeof digest; i++)
        assert_int_equal(digest[i], 0xA5);
}

static void unknown_algorithms_are_refused(void **state)
{
    (void)state;
    uint8_t digest[CHAP_DIGEST_MAX];
    static const int unknown[] = {0, 1, 4, 9, 255, -1};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_false(os_crypto.has((enum chap_algorithm)unknown[i]));
        assert_false(os_crypto.hash((enum chap_algorithm)unknown[i], NULL, 0, digest));
    }
}

static void hmac_sha256_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[131], mac[32];
    struct iov hi = piece_of("Hi There");
    memset(key, 0x0b, 20);
    assert_true(os_hmac_sha256(key, 20, &hi, 1, mac));
    assert_string_equal(hex(mac, 32),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    struct iov split[] = {piece_of("what do ya want "), piece_of("for nothing?")};
    assert_true(os_hmac_sha256("Jefe", 4, split, 2, mac));
    assert_string_equal(hex(mac, 32),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    struct iov long_key = piece_of("Test Using Larger Than Block-Size Key - Hash Key First");
    memset(key, 0xaa, sizeof key);
    assert_true(os_hmac_sha256(key, sizeof key, &long_key, 1, mac));
    assert_string_equal(hex(mac, 32),
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_md5_of_rfc_2202(void **state)
{
    (void)state;
    uint8_t key[16], mac[16];
    struct iov hi = piece_of("Hi There");
    memset(key, 0x0b, sizeof key);
    assert_true(os_hmac_md5(key, sizeof key, &hi, 1, mac));
    assert_string_equal(hex(mac, 16), "9294727a3638bb1c13f48ef8158bfc9d");
    struct iov split[] = {piece_of("what do ya want "), piece_of("for nothing?")};
    assert_true(os_hmac_md5("Jefe", 4, split, 2, mac));
    assert_string_equal(hex(mac, 16), "750c783e6ab0b503eaa86e310a5db738");
}

static void hmac_with_an_empty_key(void **state)
{
    (void)state;
    uint8_t mac[32];
    assert_true(os_hmac_sha256(NULL, 0, NULL, 0, mac));
    assert_string_equal(hex(mac, 32),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_true(os_hmac_md5("", 0, NULL, 0, mac));
    assert_string_equal(hex(mac, 16), "74e6f7298a9c2d168935f58c001bad88");
}

static void random_bytes_differ_and_fill(void **state)
{
    (void)state;
    static uint8_t a[100000], b[100000];
    size_t seen[256] = {0};
    assert_true(os_random(a, sizeof a));
    assert_true(os_crypto.random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        seen[a[i]]++;
    for (size_t i = 0; i < 256; i++) { /* 390 expected; ten sigma is 200 */
        if (seen[i] < 190 || seen[i] > 590)
            fail_msg("byte %zu came %zu times in 100000", i, seen[i]);
    }
    assert_true(os_random(NULL, 0));
}

static void wiping_clears(void **state)
{
    (void)state;
    char secret[] = "a secret of the initiator";
    os_wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        assert_int_equal(secret[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(a_digest_writes_no_more_than_its_length),
        cmocka_unit_test(unknown_algorithms_are_refused),
        cmocka_unit_test(hmac_sha256_of_rfc_4231),
        cmocka_unit_test(hmac_md5_of_rfc_2202),
        cmocka_unit_test(hmac_with_an_empty_key),
        cmocka_unit_test(random_bytes_differ_and_fill),
        cmocka_unit_test(wiping_clears),
    };
    return cmocka_run_group_tests_name("os_crypto", tests, NULL, NULL);
}
