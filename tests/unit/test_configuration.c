/* iscsi.conf: what is understood, what is refused and how the refusal reads, and what counts for
 * whom. */
#include "os_test.h"

#include "engine/configuration_internal.h"
#include "os/crypto.h"

#include <stdlib.h>

#define A     "iqn.2026-11.org.example:a"
#define LONG9 "123456789"
#define LONG                                                                                       \
    LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9 LONG9

/* All problems, one a line; warnings begin with "warning: ". */
static char told[8192];

static void collect(void *context, bool warning, const char *text)
{
    size_t used = strlen(told);
    (void)context;
    snprintf(told + used, sizeof told - used, "%s%s%s", used > 0 ? "\n" : "",
             warning ? "warning: " : "", text);
}

static const struct configuration_teller collector = {.tell = collect};

static enum status parse(struct configuration **out, const char *text)
{
    told[0] = '\0';
    return configuration_parse(out, text, "f", &collector);
}

/* --- what is refused --- */

static const struct {
    const char *text;
    const char *problems;
} refused[] = {
    /* The form of a line. */
    {"LoginTimeout", "f:1:1: not of the form \"Name = value\""},
    {"LoginTimeout 5", "f:1:1: not of the form \"Name = value\""},
    {"\n\n   word", "f:3:4: not of the form \"Name = value\""},
    {"= 5", "f:1:1: a name is missing before \"=\""},
    {"  = 5", "f:1:3: a name is missing before \"=\""},
    {"=", "f:1:1: a name is missing before \"=\""},
    {"LoginTimeout =", "f:1:15: a value is missing behind \"=\""},
    {"LoginTimeout =   ", "f:1:18: a value is missing behind \"=\""},
    {"LoginTimeout = # 5", "f:1:19: a value is missing behind \"=\""},
    {"Login\x01Timeout = 5", "f:1:6: a control character"},
    {"Login\tTimeout = 5", "f:1:6: a control character"},
    {"Username = a\tb", "f:1:13: a control character"},
    {"Username = a\x7f", "f:1:13: a control character"},
    {"Username = \xff\xfe", "f:1:1: the line is no UTF-8 text"},
    {"\xc3\xa4\xc3\xb6 = 5", "f:1:1: \"\xc3\xa4\xc3\xb6\" is no known parameter"},
    {"\xc3\xa4 \x01= 5", "f:1:3: a control character"},
    /* Names. */
    {"TCPConnectTime = 3\nTypo = 1\n", "f:2:1: \"Typo\" is no known parameter"},
    {"Login Timeout = 5", "f:1:1: \"Login Timeout\" is no known parameter"},
    {"global = 5", "f:1:1: \"global\" is no known parameter"},
    {"default = 5", "f:1:1: \"default\" is no known parameter"},
    {LONG "= 5",
     "f:1:1: \"12345678912345678912345678912345678912345678912345678912345678912345678912"
     "345678\" is no known parameter"},
    {"LoginTimeout = 5\nlogintimeout = 6", "f:2:1: \"logintimeout\" is set twice: line 1 sets it"},
    {"TCPConnectTime = 5\ntcpconnecttime = 6",
     "f:2:1: \"tcpconnecttime\" is set twice: line 1 sets it"},
    {"PingTimeout = 5\nLinkDownTime = 6",
     "f:2:1: \"LinkDownTime\" is set twice: it is PingTimeout, which line 1 sets"},
    {"MaxRequestHoldTime = 5\nConnFailTimeout = 6",
     "f:2:1: \"ConnFailTimeout\" is set twice: line 1 sets it"},
    {"ResetTimeout = 5\nResetTiemout = 6",
     "f:2:1: \"ResetTiemout\" is set twice: it is ResetTimeout, which line 1 sets"},
    {"OutgoingPassword = 123456789012\nPassword = 123456789013",
     "f:2:1: \"Password\" is set twice: line 1 sets it"},
    {"ServiceGroup = a\nServiceGroup = b", "f:2:1: \"ServiceGroup\" is set twice: line 1 sets it"},
    {"TargetName = " A "\n LoginTimeout = 1\n LoginTimeout = 2",
     "f:3:2: \"LoginTimeout\" is set twice: line 2 sets it"},
    /* Numbers. */
    {"LoginTimeout = 0", "f:1:16: LoginTimeout is \"0\", not a number from 1 to 3600"},
    {"LoginTimeout = 3601", "f:1:16: LoginTimeout is \"3601\", not a number from 1 to 3600"},
    {"\n\nLoginTimeout=soon", "f:3:14: LoginTimeout is \"soon\", not a number from 1 to 3600"},
    {"LoginTimeout = -1", "f:1:16: LoginTimeout is \"-1\", not a number from 1 to 3600"},
    {"LoginTimeout = +1", "f:1:16: LoginTimeout is \"+1\", not a number from 1 to 3600"},
    {"LoginTimeout = 1.5", "f:1:16: LoginTimeout is \"1.5\", not a number from 1 to 3600"},
    {"LoginTimeout = 0x", "f:1:16: LoginTimeout is \"0x\", not a number from 1 to 3600"},
    {"LoginTimeout = 5 s", "f:1:16: LoginTimeout is \"5 s\", not a number from 1 to 3600"},
    {"LoginTimeout = 99999999999999999999",
     "f:1:16: LoginTimeout is \"99999999999999999999\", not a number from 1 to 3600"},
    {"LoginTimeout = 18446744073709551617",
     "f:1:16: LoginTimeout is \"18446744073709551617\", not a number from 1 to 3600"},
    {"LoginTimeout = yes", "f:1:16: LoginTimeout is \"yes\", not a number from 1 to 3600"},
    {"LoginTimeout = infinite",
     "f:1:16: LoginTimeout is \"infinite\", not a number from 1 to 3600"},
    {"LoginTimeout = \"\"", "f:1:16: LoginTimeout is \"\", not a number from 1 to 3600"},
    {"ConnFailTimeout = never",
     "f:1:19: ConnFailTimeout is \"never\", not a number from 0 to 86400 or infinite"},
    {"MaxDiskCommandTimeout = 86401",
     "f:1:25: MaxDiskCommandTimeout is \"86401\", not a number from 0 to 86400 or infinite"},
    {"ErrorRecoveryLevel = 3", "f:1:22: ErrorRecoveryLevel is \"3\", not a number from 0 to 2"},
    {"FirstBurstLength = 511",
     "f:1:20: FirstBurstLength is \"511\", not a number from 512 to 16777215"},
    {"TCPConnectTime = 0", "f:1:18: TCPConnectTime is \"0\", not a number from 1 to 3600"},
    {"MaxConnectionRetries = 4294967296",
     "f:1:24: MaxConnectionRetries is \"4294967296\", not a number from 0 to 4294967295"},
    /* Words. */
    {"InitialR2T = 2", "f:1:14: InitialR2T is \"2\", not yes or no"},
    {"InitialR2T = maybe", "f:1:14: InitialR2T is \"maybe\", not yes or no"},
    {"ServiceLoopback = 2", "f:1:19: ServiceLoopback is \"2\", not yes or no"},
    {"HeaderDigest = CRC32", "f:1:16: HeaderDigest is \"CRC32\", not never, always, prefer-on or "
                             "prefer-off"},
    {"DataDigest = yes", "f:1:14: DataDigest is \"yes\", not never, always, prefer-on or "
                         "prefer-off"},
    {"Multipath = 3", "f:1:13: Multipath is \"3\", not yes, no, portal or portalgroup"},
    {"Multipath = target", "f:1:13: Multipath is \"target\", not yes, no, portal or portalgroup"},
    {"PreferredPortal = 10.0.0.1:0",
     "f:1:19: PreferredPortal is \"10.0.0.1:0\", not an address or address:port"},
    {"PreferredPortal = 10.0.0.1,1",
     "f:1:19: PreferredPortal is \"10.0.0.1,1\", not an address or address:port"},
    {"PreferredSubnet = 10.0.0.0/33",
     "f:1:19: PreferredSubnet is \"10.0.0.0/33\", not a network as a.b.c.d/n or a.b.c.d&hex"},
    {"PreferredSubnet = host/8",
     "f:1:19: PreferredSubnet is \"host/8\", not a network as a.b.c.d/n or a.b.c.d&hex"},
    /* Texts and passwords; the latter are never shown. */
    {"Username = " LONG LONG,
     "f:1:12: Username is \"12345678912345678912345678912345678912345678912"
     "345678912345678912345678912345678\", not a name of 1 to 255 bytes"},
    {"Username = \"\"", "f:1:12: Username is \"\", not a name of 1 to 255 bytes"},
    {"ServiceGroup = " LONG,
     "f:1:16: ServiceGroup is "
     "\"12345678912345678912345678912345678912345678912345678912345678912345"
     "678912345678\", not a text of 1 to 127 bytes"},
    {"Password = tooshort123", "f:1:12: Password is not a password of 12 to 255 bytes"},
    {"OutgoingPassword = tooshort123", "f:1:20: Password is not a password of 12 to 255 bytes"},
    {"IncomingPassword = " LONG LONG,
     "f:1:20: IncomingPassword is not a password of 12 to 255 bytes"},
    {"Password hunter2hunter2", "f:1:1: not of the form \"Name = value\""},
    {"Pasword = hunter2hunter2", "f:1:1: \"Pasword\" is no known parameter"},
    {"Password = \"hunter2hunter2", "f:1:12: the quote is not closed"},
    {"Password = hunter2hunter2\nIncomingPassword = hunter2hunter2",
     "f:2:20: IncomingPassword is the same as Password"},
    {"Password = hunter2hunter2\nTargetName = " A "\n  IncomingPassword = hunter2hunter2",
     "f:3:22: IncomingPassword is the same as Password"},
    {"TargetName = " A "\n  Password = hunter2hunter2\n  IncomingPassword = hunter2hunter2",
     "f:3:22: IncomingPassword is the same as Password"},
    /* Quotes. */
    {"Username = \"a", "f:1:12: the quote is not closed"},
    {"Username = \"a\\\"", "f:1:12: the quote is not closed"},
    {"Username = \"a\" b", "f:1:16: nothing may follow the closing quote"},
    {"Username = \"a\"\"b\"", "f:1:15: nothing may follow the closing quote"},
    {"Username = \"a\nb\"", "f:1:12: the quote is not closed\n"
                            "f:2:1: not of the form \"Name = value\""},
    /* Continuation. */
    {"LoginTimeout = \\\n  x", "f:2:3: LoginTimeout is \"x\", not a number from 1 to 3600"},
    {"LoginTimeout \\\n\\\n = 0", "f:3:4: LoginTimeout is \"0\", not a number from 1 to 3600"},
    {"LoginTimeout = 5 \\", "f:1:18: blanks or the file's end follow the backslash"},
    {"LoginTimeout = 5 \\  \nAbortTimeout = 3",
     "f:1:18: blanks or the file's end follow the backslash"},
    {"LoginTimeout = 5 \\\n", "f:1:18: nothing follows the backslash at the end of the line"},
    {"Typo\\\r\n = 5", "f:1:1: \"Typo\" is no known parameter"},
    {"# comment \\\nTypo = 1", "f:2:1: \"Typo\" is no known parameter"},
    /* Bursts (RFC 7143, 13.14). */
    {"MaxBurstLength = 1024\nFirstBurstLength = 2048",
     "f:2:20: FirstBurstLength is 2048, more than MaxBurstLength, 1024"},
    {"FirstBurstLength = 262145",
     "f:1:20: FirstBurstLength is 262145, more than MaxBurstLength, 262144"},
    {"MaxBurstLength = 1024\nFirstBurstLength = \\\n  2048",
     "f:3:3: FirstBurstLength is 2048, more than MaxBurstLength, 1024"},
    {"TargetName = " A "\n MaxBurstLength = 512\n FirstBurstLength = 1024",
     "f:3:21: FirstBurstLength is 1024, more than MaxBurstLength, 512"},
    {"MaxBurstLength = 2048\nFirstBurstLength = 512\nTargetName = " A "\n FirstBurstLength = 4096",
     "f:4:21: FirstBurstLength is 4096, more than MaxBurstLength, 2048"},
    /* What sections name. */
    {"TargetName = disk", "f:1:14: TargetName is \"disk\", not an iSCSI name that begins with "
                          "iqn., eui. or naa."},
    {"DiscoveryAddress = 10.0.0.1:99999",
     "f:1:20: DiscoveryAddress is \"10.0.0.1:99999\", not a host or host:port"},
    {"DiscoveryAddress = 10.0.0.256",
     "f:1:20: DiscoveryAddress is \"10.0.0.256\", not a host or host:port"},
    {"DiscoveryAddress = a b", "f:1:20: DiscoveryAddress is \"a b\", not a host or host:port"},
    {"DiscoveryAddress = [fd00::1", "f:1:20: DiscoveryAddress is \"[fd00::1\", not a host or "
                                    "host:port"},
    {"TargetIPAddress = 10.0.0.0/x",
     "f:1:19: TargetIPAddress is \"10.0.0.0/x\", not an address as a.b.c.d/n"},
    {"Subnet = 10.0.0.0/33", "f:1:10: Subnet is \"10.0.0.0/33\", not a network as a.b.c.d/n or "
                             "a.b.c.d&hex"},
    {"Subnet = 10.0.0.0/", "f:1:10: Subnet is \"10.0.0.0/\", not a network as a.b.c.d/n or "
                           "a.b.c.d&hex"},
    {"Subnet = 10.0.0.0&", "f:1:10: Subnet is \"10.0.0.0&\", not a network as a.b.c.d/n or "
                           "a.b.c.d&hex"},
    {"Subnet = 10.0.0.0&fffff0000", "f:1:10: Subnet is \"10.0.0.0&fffff0000\", not a network as "
                                    "a.b.c.d/n or a.b.c.d&hex"},
    {"Subnet = 10.0.0.0&fg", "f:1:10: Subnet is \"10.0.0.0&fg\", not a network as a.b.c.d/n or "
                             "a.b.c.d&hex"},
    {"Subnet = 10.0/16", "f:1:10: Subnet is \"10.0/16\", not a network as a.b.c.d/n or "
                         "a.b.c.d&hex"},
    {"Subnet = fd00::/129", "f:1:10: Subnet is \"fd00::/129\", not a network as a.b.c.d/n or "
                            "a.b.c.d&hex"},
    {"Subnet = fe80::1%2/64", "f:1:10: Subnet is \"fe80::1%2/64\", not a network as a.b.c.d/n or "
                              "a.b.c.d&hex"},
    {"Address = 10.0.0.1/24", "f:1:11: Address is \"10.0.0.1/24\", not one address as a.b.c.d/32"},
    {"Address = fd00::1/64", "f:1:11: Address is \"fd00::1/64\", not one address as a.b.c.d/32"},
    {"Address = host", "f:1:11: Address is \"host\", not one address as a.b.c.d/32"},
    {" TargetName = " A, "f:1:2: TargetName begins a section and must not be indented"},
    {"Subnet = 10.0.0.0/8\n\tAddress = 10.0.0.1",
     "f:2:2: Address begins a section and must not be indented"},
    {"TargetName = " A "\nSubnet = 10.0.0.0/8\nTargetName = IQN.2026-11.org.example:A",
     "f:3:1: TargetName has a section for this already, at line 1"},
    {"Subnet = 10.1.0.0/8\nSubnet = 10.2.0.0&ff000000",
     "f:2:1: Subnet has a section for this already, at line 1"},
    {"DiscoveryAddress = host\nDiscoveryAddress = HOST:3260",
     "f:2:1: DiscoveryAddress has a section for this already, at line 1"},
    {"DiscoveryAddress = fd00::1\nDiscoveryAddress = [fd00:0::1]:3260",
     "f:2:1: DiscoveryAddress has a section for this already, at line 1"},
    /* What a section cannot have. */
    {"TargetName = " A "\n TCPConnectTime = 5",
     "f:2:2: TCPConnectTime applies to the whole service and cannot be set for a TargetName"},
    {"Subnet = 10.0.0.0/8\n ServiceGroup = x",
     "f:2:2: ServiceGroup applies to the whole service and cannot be set for a Subnet"},
    {"DiscoveryAddress = h\n EnableNOPOut = no",
     "f:2:2: EnableNOPOut applies to the whole service and cannot be set for a DiscoveryAddress"},
    {"TargetName = " A "\n Continuous = yes",
     "f:2:2: Continuous means nothing for a TargetName: it can be set for DiscoveryAddress, or for "
     "everything"},
    {"Subnet = 10.0.0.0/8\n PreferredPortal = 10.0.0.1",
     "f:2:2: PreferredPortal means nothing for a Subnet: it can be set for DiscoveryAddress and "
     "TargetName, or for everything"},
    {"Address = 10.0.0.1\n Multipath = yes",
     "f:2:2: Multipath means nothing for a Address: it can be set for DiscoveryAddress and "
     "TargetName, or for everything"},
    {"TargetIPAddress = 10.0.0.1\n Enabled = no",
     "f:2:2: Enabled means nothing for a TargetIPAddress: it can be set for DiscoveryAddress and "
     "TargetName, or for everything"},
    {"TargetName = " A "\n LoginTimeout = 0",
     "f:2:17: LoginTimeout is \"0\", not a number from 1 to 3600"},
    /* Where a section ends. */
    {"TargetName = " A "\n LoginTimeout = 5\nAbortTimeout = 3\n ResetTimeout = 3",
     "f:4:2: indented, but the section ended at line 3, which is not"},
    /* All of them, in the order of the file; what must hold of the whole comes only then. */
    {"A = 1\nB = 2\nLoginTimeout = 0\nSubnet = x\n Continuous = 1\nC\nLoginTimeout = 7",
     "f:1:1: \"A\" is no known parameter\n"
     "f:2:1: \"B\" is no known parameter\n"
     "f:3:16: LoginTimeout is \"0\", not a number from 1 to 3600\n"
     "f:4:10: Subnet is \"x\", not a network as a.b.c.d/n or a.b.c.d&hex\n"
     "f:5:2: Continuous means nothing for a Subnet: it can be set for DiscoveryAddress, or for "
     "everything\n"
     "f:6:1: not of the form \"Name = value\"\n"
     "f:7:1: \"LoginTimeout\" is set twice: line 3 sets it"},
};

static void mistakes_are_named_with_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct configuration *configuration = (void *)&told;
        enum status status = parse(&configuration, refused[i].text);
        if (status != STATUS_CONFIGURATION || strcmp(told, refused[i].problems) != 0)
            fail_msg("\"%s\"\ngives %s and tells\n%s\nnot\n%s", refused[i].text,
                     status_name(status), told, refused[i].problems);
        assert_null(configuration);
    }
}

/* --- what counts --- */

/* `of`: "t=target p=portal d=discovery:port", each may be missing. What counts reads
 * "Name: value (scope, line of the setting of that of the section)". */
static const struct {
    const char *text, *of, *counts;
} effective[] = {
    /* Nothing, and everything. */
    {"", "", "LoginTimeout: 30"},
    {"LoginTimeout = 7", "", "LoginTimeout: 7 (global, line 1)"},
    {"\n\n  logintimeout=7", "", "LoginTimeout: 7 (global, line 3)"},
    {"LOGINTIMEOUT\t=\t0x10\t # why\r\n", "", "LoginTimeout: 16 (global, line 1)"},
    {"\xef\xbb\xbfLoginTimeout = 7", "", "LoginTimeout: 7 (global, line 1)"},
    {"LoginTimeout = \"7\"", "", "LoginTimeout: 7 (global, line 1)"},
    {"  #LoginTimeout = 7\n", "", "LoginTimeout: 30"},
    {"LoginTimeout = 7\nTargetName = " A "\n", "t=" A, "LoginTimeout: 7 (global, line 1)"},
    /* Other names of the same. */
    {"LinkDownTime = 3", "", "PingTimeout: 3 (global, line 1)"},
    {"MaxRequestHoldTime = 0", "", "ConnFailTimeout: 0 (global, line 1)"},
    {"ResetTiemout = 4", "", "ResetTimeout: 4 (global, line 1)"},
    {"OutgoingUsername = u\nPassword = 123456789012", "", "Username: u (global, line 1)"},
    {"OutgoingPassword = 123456789012", "", "Password: (set) (global, line 1)"},
    /* Words. */
    {"ConnFailTimeout = infinite", "", "ConnFailTimeout: infinite (global, line 1)"},
    {"MinDiskCommandTimeout = Infinite", "", "MinDiskCommandTimeout: infinite (global, line 1)"},
    {"MaxDiskCommandTimeout = 0", "", "MaxDiskCommandTimeout: infinite (global, line 1)"},
    {"MaxDiskCommandTimeout = 5", "", "MaxDiskCommandTimeout: 5 (global, line 1)"},
    {"InitialR2T = Yes", "", "InitialR2T: yes (global, line 1)"},
    {"InitialR2T = on", "", "InitialR2T: yes (global, line 1)"},
    {"ImmediateData = OFF", "", "ImmediateData: no (global, line 1)"},
    {"ImmediateData = 0", "", "ImmediateData: no (global, line 1)"},
    {"HeaderDigest = Always", "", "HeaderDigest: always (global, line 1)"},
    {"HeaderDigest = CRC32C,None", "", "HeaderDigest: prefer-on (global, line 1)"},
    {"HeaderDigest = None,\\\n    CRC32C", "", "HeaderDigest: prefer-off (global, line 1)"},
    {"DataDigest = none", "", "DataDigest: never (global, line 1)"},
    {"DataDigest = crc32c", "", "DataDigest: always (global, line 1)"},
    {"", "", "DataDigest: prefer-off"},
    {"Multipath = yes", "", "Multipath: portal (global, line 1)"},
    {"Multipath = PortalGroup", "", "Multipath: portalgroup (global, line 1)"},
    {"Multipath = no", "", "Multipath: no (global, line 1)"},
    {"PreferredPortal = [fd00::1]:99", "", "PreferredPortal: [fd00::1]:99 (global, line 1)"},
    {"PreferredSubnet = 10.0.0.0&ff000000", "",
     "PreferredSubnet: 10.0.0.0&ff000000 (global, line 1)"},
    /* Quotes, escapes and comments. */
    {"Username = \"a # b\"  # c\nPassword=123456789012", "", "Username: a # b (global, line 1)"},
    {"Username = a # b\nPassword=123456789012", "", "Username: a (global, line 1)"},
    {"Username = \"  \"\nPassword=123456789012", "", "Username:    (global, line 1)"},
    {"Username = \"\\\"\\\\\\n\"\nPassword=123456789012", "", "Username: \"\\\\n (global, line 1)"},
    {"Username = a\"b\nPassword=123456789012", "", "Username: a\"b (global, line 1)"},
    {"Username = a=b\nPassword=123456789012", "", "Username: a=b (global, line 1)"},
    {"Username = \\x\nPassword=123456789012", "", "Username: \\x (global, line 1)"},
    {"Username = d\xc3\xb6rte\nPassword=123456789012", "",
     "Username: d\xc3\xb6rte (global, line 1)"},
    {"Login\\\r\n  Timeout \\\n = \\\n 7", "", "LoginTimeout: 7 (global, line 1)"},
    {"Username = \"a\\\n   b\"\nPassword=123456789012", "", "Username: ab (global, line 1)"},
    /* Each scope fits what it names, and nothing else. */
    {"TargetName = " A "\n LoginTimeout = 7", "t=" A, "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    {"TargetName = " A "\n LoginTimeout = 7", "t=IQN.2026-11.ORG.EXAMPLE:A",
     "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    {"TARGETNAME=IQN.2026-11.ORG.EXAMPLE:A\n LoginTimeout = 7", "t=" A,
     "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    {"TargetName = " A "\n LoginTimeout = 7", "t=" A "2", "LoginTimeout: 30"},
    {"TargetName = " A "\n LoginTimeout = 7", "", "LoginTimeout: 30"},
    {"TargetName = eui.0123456789abcdef\n LoginTimeout = 7", "t=eui.0123456789ABCDEF",
     "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    {"DiscoveryAddress = h\n LoginTimeout = 7", "d=H:3260",
     "LoginTimeout: 7 (DiscoveryAddress, line 2 of 1)"},
    {"DiscoveryAddress = h:99\n LoginTimeout = 7", "d=h:3260", "LoginTimeout: 30"},
    {"DiscoveryAddress = h:99\n LoginTimeout = 7", "d=h:99",
     "LoginTimeout: 7 (DiscoveryAddress, line 2 of 1)"},
    {"DiscoveryAddress = h:99\n LoginTimeout = 7", "d=h",
     "LoginTimeout: 7 (DiscoveryAddress, line 2 of 1)"},
    {"DiscoveryAddress = [FD00::0001]\n LoginTimeout = 7", "d=fd00::1:3260",
     "LoginTimeout: 7 (DiscoveryAddress, line 2 of 1)"},
    {"DiscoveryAddress = h\n Continuous = no", "d=h",
     "Continuous: no (DiscoveryAddress, line 2 of 1)"},
    {"DiscoveryAddress = h\n Continuous = no", "d=i", "Continuous: yes"},
    {"Subnet = 10.1.2.3/8\n LoginTimeout = 7", "p=10.9.9.9",
     "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = 10.1.2.3/8\n LoginTimeout = 7", "p=11.1.2.3", "LoginTimeout: 30"},
    {"Subnet = 10.1.2.3/8\n LoginTimeout = 7", "p=host", "LoginTimeout: 30"},
    {"Subnet = 10.1.0.0&0xffff0000\n LoginTimeout = 7", "p=10.1.9.9",
     "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = 10.1.0.0&FFFF0000\n LoginTimeout = 7", "p=10.2.9.9", "LoginTimeout: 30"},
    {"Subnet = 10.0.0.5&ff0000ff\n LoginTimeout = 7", "p=10.2.9.5",
     "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = 0.0.0.0/0\n LoginTimeout = 7", "p=1.2.3.4", "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = 0.0.0.0/0\n LoginTimeout = 7", "p=fd00::1", "LoginTimeout: 30"},
    {"Subnet = ::/0\n LoginTimeout = 7", "p=1.2.3.4", "LoginTimeout: 30"},
    {"Subnet = fd00::/9\n LoginTimeout = 7", "p=fd7f::1", "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = fd00::/9\n LoginTimeout = 7", "p=fd80::1", "LoginTimeout: 30"},
    {"Subnet = [fd00::]/16\n LoginTimeout = 7", "p=fd00::7",
     "LoginTimeout: 7 (Subnet, line 2 of 1)"},
    {"Subnet = 10.0.0.1\n LoginTimeout = 7", "p=10.0.0.2", "LoginTimeout: 30"},
    {"Address = 10.0.0.1/32\n LoginTimeout = 7", "p=10.0.0.1",
     "LoginTimeout: 7 (Address, line 2 of 1)"},
    {"Address = 10.0.0.1\n LoginTimeout = 7", "p=10.0.0.2", "LoginTimeout: 30"},
    {"Address = fd00::1/128\n LoginTimeout = 7", "p=fd00:0::1",
     "LoginTimeout: 7 (Address, line 2 of 1)"},
    {"TargetIPAddress = 10.0.0.0/24\n LoginTimeout = 7", "p=10.0.0.77",
     "LoginTimeout: 7 (TargetIPAddress, line 2 of 1)"},
/* The most specific wins, wherever it stands. */
#define ALL_SCOPES                                                                                 \
    "TargetName = " A "\n LoginTimeout = 6\nDiscoveryAddress = h\n LoginTimeout = 5\n"             \
    "Address = 10.0.0.1\n LoginTimeout = 4\nTargetIPAddress = 10.0.0.0/30\n LoginTimeout = 3\n"    \
    "Subnet = 10.0.0.0/31\n LoginTimeout = 2\nLoginTimeout = 1\n"
    {ALL_SCOPES, "t=" A " p=10.0.0.1 d=h", "LoginTimeout: 6 (TargetName, line 2 of 1)"},
    {ALL_SCOPES, "t=" A "2 p=10.0.0.1 d=h", "LoginTimeout: 5 (DiscoveryAddress, line 4 of 3)"},
    {ALL_SCOPES, "t=" A "2 p=10.0.0.1", "LoginTimeout: 4 (Address, line 6 of 5)"},
    {ALL_SCOPES, "t=" A "2 p=10.0.0.0", "LoginTimeout: 3 (TargetIPAddress, line 8 of 7)"},
    {ALL_SCOPES, "t=" A "2 p=10.0.0.4", "LoginTimeout: 1 (global, line 11)"},
    {"Subnet = 10.0.0.0/24\n LoginTimeout = 2\nSubnet = 10.0.0.0/8\n LoginTimeout = 3",
     "p=10.0.0.1", "LoginTimeout: 2 (Subnet, line 2 of 1)"},
    {"Subnet = 10.0.0.0/8\n LoginTimeout = 3\nSubnet = 10.0.0.0/24\n LoginTimeout = 2",
     "p=10.0.0.1", "LoginTimeout: 2 (Subnet, line 4 of 3)"},
    {"Subnet = 10.0.0.0&ff0000ff\n LoginTimeout = 3\nSubnet = 10.0.0.0/16\n LoginTimeout = 2",
     "p=10.0.0.0", "LoginTimeout: 2 (Subnet, line 4 of 3)"},
    {"Subnet = 10.0.0.0/16\n LoginTimeout = 3\nSubnet = 10.0.0.0&ff0000ff\n LoginTimeout = 2",
     "p=10.0.0.0", "LoginTimeout: 2 (Subnet, line 4 of 3)"},
    {"Subnet = 10.0.0.0/24\n AbortTimeout = 2\nSubnet = 10.0.0.0/8\n LoginTimeout = 3",
     "p=10.0.0.1", "LoginTimeout: 3 (Subnet, line 4 of 3)"},
    /* A line at the margin is for everything, and comments and blank lines end no section. */
    {"TargetName = " A "\nLoginTimeout = 7", "", "LoginTimeout: 7 (global, line 2)"},
    {"TargetName = " A "\n\n# comment\n  # comment\n LoginTimeout = 7", "t=" A,
     "LoginTimeout: 7 (TargetName, line 5 of 1)"},
    {"TargetName = " A "\n\tLoginTimeout = 7\n", "t=" A,
     "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    {"TargetName = " A "\nAbortTimeout = 1\nTargetName = " A "2\n LoginTimeout = 7", "t=" A "2",
     "LoginTimeout: 7 (TargetName, line 4 of 3)"},
    {"TargetName = \\\n  " A "\n LoginTimeout = 7", "t=" A,
     "LoginTimeout: 7 (TargetName, line 3 of 1)"},
    {"TargetName = \"" A "\"\n LoginTimeout = 7", "t=" A,
     "LoginTimeout: 7 (TargetName, line 2 of 1)"},
    /* Windows' switch is the driver's time of 0. */
    {"EnableNOPOut = no", "", "IdleTimeout: 0 (global, line 1)"},
    {"EnableNOPOut = no\nIdleTimeout = 9", "", "IdleTimeout: 9 (global, line 2)"},
    {"EnableNOPOut = no\nTargetName = " A "\n IdleTimeout = 9", "t=" A,
     "IdleTimeout: 9 (TargetName, line 3 of 2)"},
    {"EnableNOPOut = yes", "", "IdleTimeout: 15"},
    {"IdleTimeout = 0", "", "IdleTimeout: 0 (global, line 1)"},
};

/* NULL: it is not there. */
static const char *part(const char *of, char key, char out[256])
{
    const char *at = of;
    while (at != NULL && !(at[0] == key && at[1] == '='))
        at = (at = strchr(at, ' ')) != NULL ? at + 1 : NULL;
    if (at == NULL || of[0] == '\0')
        return NULL;
    snprintf(out, 256, "%.*s", (int)strcspn(at + 2, " "), at + 2);
    return out;
}

static void resolve(const struct configuration *configuration, const char *of,
                    struct scoped_parameters *out)
{
    char target[256], address[256], discovery[256];
    struct configuration_subject subject = {.target = part(of, 't', target),
                                            .address = part(of, 'p', address),
                                            .port = 3260,
                                            .discovery_address = part(of, 'd', discovery)};
    char *port = subject.discovery_address != NULL ? strrchr(discovery, ':') : NULL;
    if (port != NULL) {
        *port = '\0';
        subject.discovery_port = (uint16_t)atoi(port + 1);
    }
    configuration_resolve(configuration, &subject, out);
}

static void describe(const struct scoped_parameters *parameters, const char *counts, char out[512])
{
    char value[PARAMETER_VALUE_ROOM], where[128] = "", in[32] = "";
    size_t length = strcspn(counts, ":");
    int i = 0;
    while (strlen(scoped_table[i].name) != length ||
           strncmp(scoped_table[i].name, counts, length) != 0)
        i++;
    const struct parameter_origin *origin = &parameters->origins[i];
    scoped_parameter_format(parameters, (enum scoped_parameter)i, value);
    if (origin->section != 0)
        snprintf(in, sizeof in, " of %u", (unsigned)origin->section);
    if (origin->scope != SCOPE_DEFAULT)
        snprintf(where, sizeof where, " (%s, line %u%s)", configuration_scope_name(origin->scope),
                 (unsigned)origin->line, in);
    snprintf(out, 512, "%s: %s%s", scoped_table[i].name, value, where);
}

static void the_most_specific_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof effective / sizeof *effective; i++) {
        struct configuration *configuration;
        struct scoped_parameters got;
        char counts[512];
        if (parse(&configuration, effective[i].text) != STATUS_OK)
            fail_msg("\"%s\" is refused: %s", effective[i].text, told);
        resolve(configuration, effective[i].of, &got);
        describe(&got, effective[i].counts, counts);
        if (strcmp(counts, effective[i].counts) != 0)
            fail_msg("\"%s\" gives\n%s\nnot\n%s", effective[i].text, counts, effective[i].counts);
        scoped_parameters_wipe(&got);
        configuration_free(configuration);
    }
}

/* --- warnings --- */

static void what_is_doubtful_is_told_and_counts(void **state)
{
    static const struct {
        const char *text, *problems;
    } cases[] = {
        {"Username = u", "warning: f:1:12: Username is set without Password"},
        {"IncomingUsername = u",
         "warning: f:1:20: IncomingUsername is set without IncomingPassword"},
        {"IncomingPassword = 123456789012",
         "warning: f:1:20: IncomingPassword is set without Password"},
        {"TargetName = " A "\n Username = u", "warning: f:2:13: Username is set without Password"},
        {"Password = 123456789012\nTargetName = " A "\n Username = u", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct configuration *configuration;
        assert_status(parse(&configuration, cases[i].text), STATUS_OK);
        assert_string_equal(told, cases[i].problems);
        configuration_free(configuration);
    }
}

/* --- the tables --- */

static const char *extra_for(const char *name)
{
    return strcmp(name, "MaxBurstLength") == 0 ? "FirstBurstLength = 512\n"
                                               : "MaxBurstLength = 16777215\n";
}

static void check_limit(const char *name, uint64_t value, bool fits)
{
    struct configuration *configuration;
    char text[200];
    snprintf(text, sizeof text, "%s%s = %llu", extra_for(name), name, (unsigned long long)value);
    if (fits != (parse(&configuration, text) == STATUS_OK))
        fail_msg("\"%s\" %s (%s)", text, fits ? "is refused" : "is taken", told);
    configuration_free(configuration);
}

static void every_number_takes_its_limits_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARAMETERS_COUNT; i++) {
        const struct parameter_info *info = &parameter_table[i];
        if (info->is_text)
            continue;
        check_limit(info->name, info->least, true);
        check_limit(info->name, info->most, true);
        check_limit(info->name, (uint64_t)info->most + 1, false);
        if (info->least > 0)
            check_limit(info->name, info->least - 1, false);
    }
    for (size_t i = 0; i < SCOPED_COUNT; i++) {
        const struct scoped_info *info = &scoped_table[i];
        if (info->room > 0 || info->kind == KIND_MULTIPATH)
            continue;
        check_limit(info->name, info->least, true);
        check_limit(info->name, info->most, true);
        check_limit(info->name, (uint64_t)info->most + 1, false);
        if (info->least > 0)
            check_limit(info->name, info->least - 1, false);
    }
}

static void defaults_are_those_of_windows(void **state)
{
    struct configuration *configuration;
    struct scoped_parameters scoped;
    const struct configuration_subject nobody = {0};
    (void)state;
    assert_status(parse(&configuration, ""), STATUS_OK);
    const struct parameters *parameters = configuration_parameters(configuration);
    assert_int_equal(parameters->tcp_connect_time, 15);
    assert_int_equal(parameters->tcp_disconnect_time, 15);
    assert_int_equal(parameters->wmi_request_timeout, 30);
    assert_int_equal(parameters->delay_between_reconnect, 5);
    assert_int_equal(parameters->max_connection_retries, 0xffffffff);
    assert_int_equal(parameters->portal_retry_count, 5);
    assert_int_equal(parameters->max_pending_requests, 255);
    assert_int_equal(parameters->max_transfer_length, 1048576);
    configuration_resolve(configuration, &nobody, &scoped);
    assert_int_equal(scoped.login_timeout, 30);
    assert_int_equal(scoped.ping_timeout, 15);
    assert_int_equal(scoped.conn_fail_timeout, 60);
    assert_int_equal(scoped.max_burst_length, 262144);
    assert_int_equal(scoped.first_burst_length, 65536);
    assert_int_equal(scoped.max_recv_data_segment_length, 262144);
    assert_int_equal(scoped.initial_r2t, 0);
    assert_int_equal(scoped.immediate_data, 1);
    assert_int_equal(scoped.error_recovery_level, 2);
    configuration_free(configuration);
}

static void service_texts_and_lines_are_kept(void **state)
{
    struct configuration *configuration;
    size_t group = 0;
    (void)state;
    assert_status(parse(&configuration, "\nservicegroup =  disk users # comment"), STATUS_OK);
    assert_string_equal(configuration_parameters(configuration)->service_group, "disk users");
    assert_string_equal(configuration_parameters(configuration)->service_read_group, "");
    while (strcmp(parameter_table[group].name, "ServiceGroup") != 0)
        group++;
    assert_int_equal(configuration_line(configuration, group), 2);
    assert_int_equal(configuration_line(configuration, group + 1), 0);
    assert_string_equal(configuration_file(configuration), "f");
    configuration_free(configuration);
}

static void discovery_addresses_come_in_their_order(void **state)
{
    const struct configuration_discovery *found;
    struct configuration *configuration;
    (void)state;
    assert_status(parse(&configuration, "DiscoveryAddress = b:99\n Continuous = no\n"
                                        "Subnet = 10.0.0.0/8\n"
                                        "DiscoveryAddress=[fd00::1]\n"
                                        "DiscoveryAddress = a\n"),
                  STATUS_OK);
    assert_int_equal(configuration_discovery_addresses(configuration, &found), 3);
    assert_string_equal(found[0].host, "b");
    assert_int_equal(found[0].port, 99);
    assert_int_equal(found[0].line, 1);
    assert_string_equal(found[1].host, "fd00::1");
    assert_int_equal(found[1].port, 3260);
    assert_string_equal(found[2].host, "a");
    assert_int_equal(found[2].line, 5);
    configuration_free(configuration);
    assert_status(parse(&configuration, ""), STATUS_OK);
    assert_int_equal(configuration_discovery_addresses(configuration, &found), 0);
    configuration_free(configuration);
}

static void secrets_are_found_and_forgotten(void **state)
{
    static const char text[] = "Username = me\nPassword = \"secret # of 17\"\n"
                               "TargetName = " A "\n IncomingUsername = it\n"
                               " IncomingPassword = another one 12";
    const struct configuration_subject subject = {.target = A};
    struct configuration *configuration;
    struct scoped_parameters got;
    (void)state;
    assert_status(parse(&configuration, text), STATUS_OK);
    configuration_resolve(configuration, &subject, &got);
    assert_string_equal(got.username, "me");
    assert_string_equal(got.password, "secret # of 17");
    assert_string_equal(got.incoming_username, "it");
    assert_string_equal(got.incoming_password, "another one 12");
    scoped_parameters_forget(&got);
    for (size_t i = 0; i + 6 < sizeof got; i++) {
        assert_memory_not_equal((char *)&got + i, "secret", 6);
        assert_memory_not_equal((char *)&got + i, "anothe", 6);
    }
    assert_int_equal(got.login_timeout, 30);
    configuration_free(configuration);
}

/* --- there and back --- */

static char once[65536], again[65536];

static void append(char out[65536], const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out + used, sizeof once - used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < sizeof once - used);
}

static void append_quoted(char out[65536], const char *text)
{
    append(out, "\"");
    for (; *text != '\0'; text++)
        append(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
    append(out, "\"\n");
}

static void print_section(char out[65536], const struct section *section, const char *margin)
{
    for (int i = 0; i < SCOPED_COUNT; i++) {
        const struct setting *setting = section_find(section, (enum scoped_parameter)i);
        struct scoped_parameters values = {0};
        char value[PARAMETER_VALUE_ROOM];
        if (setting == NULL)
            continue;
        if (setting->text == NULL) {
            memcpy((char *)&values + scoped_table[i].offset, &setting->number,
                   sizeof setting->number);
            scoped_parameter_format(&values, (enum scoped_parameter)i, value);
        }
        append(out, "%s%s = ", margin, scoped_table[i].name);
        append_quoted(out, setting->text != NULL ? setting->text : value);
    }
}

static void print_service(char out[65536], const struct configuration *configuration)
{
    for (size_t i = 0; i < PARAMETERS_COUNT; i++) {
        const char *member = (const char *)&configuration->parameters + parameter_table[i].offset;
        uint32_t number;
        if (configuration->lines[i] == 0)
            continue;
        append(out, "%s = ", parameter_table[i].name);
        memcpy(&number, member, sizeof number);
        if (parameter_table[i].is_text)
            append_quoted(out, member);
        else
            append(out, "%lu\n", (unsigned long)number);
    }
}

/* The whole file anew, passwords too, in an order of its own. */
static void print_file(char out[65536], const struct configuration *configuration)
{
    const struct section *section = &configuration->global;
    out[0] = '\0';
    print_service(out, configuration);
    print_section(out, section, "");
    while ((section = section->next) != NULL) {
        append(out, "%s = ", configuration_scope_name(section->scope));
        append_quoted(out, section->name);
        print_section(out, section, "    ");
    }
}

static void read_and_print(const char *text, char out[65536])
{
    struct configuration *configuration;
    if (parse(&configuration, text) != STATUS_OK)
        fail_msg("\"%s\" is refused: %s", text, told);
    print_file(out, configuration);
    configuration_free(configuration);
}

static void what_was_read_reads_the_same_again(void **state)
{
    static const char *const texts[] = {
        "",
        "LoginTimeout = 7\nConnFailTimeout = infinite\nMaxDiskCommandTimeout = 5\n"
        "Multipath = portalgroup\nHeaderDigest = CRC32C\nDataDigest = CRC32C,None\n"
        "PreferredPortal = [fd00::1]:99\nPreferredSubnet = 10.0.0.0&ff000000\nInitialR2T = on\n"
        "OutgoingUsername = a # b\nPassword = \"a # b and more\"\nIncomingUsername = \" x \"\n"
        "IncomingPassword = 123456789012\nTCPWindowSize = 0x10000\nEnabled = off\n"
        "EnableNOPOut = no\nDeviceDirectory = \"/run/with # and blank\"\n"
        "TargetName = " A "\n Password = \"\\\\ and \\\" and more\"\n Multipath = no\n"
        "DiscoveryAddress = [fd00::2]:99\n Continuous = no\n ConnFailTimeout = 0x10\n"
        "Subnet = 10.0.0.5&ff0000ff\n TCPWindowSize = 1\nAddress = fd00::1/128\n"
        "TargetIPAddress = 10.0.0.0/24\n LoginTimeout = 9\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_and_print(texts[i], once);
        read_and_print(once, again);
        assert_string_equal(once, again);
    }
    assert_non_null(strstr(once, "EnableNOPOut = 0\n"));
    assert_non_null(strstr(once, "\nDeviceDirectory = \"/run/with # and blank\"\n"));
    assert_non_null(strstr(once, "\nMultipath = \"portalgroup\"\n"));
    assert_non_null(strstr(once, "\nPassword = \"a # b and more\"\n"));
    assert_non_null(strstr(once, "\nConnFailTimeout = \"infinite\"\n"));
    assert_non_null(strstr(once, "\nTargetName = \"" A "\"\n"));
    assert_non_null(strstr(once, "\n    Password = \"\\\\ and \\\" and more\"\n"));
    assert_non_null(strstr(once, "\n    ConnFailTimeout = \"16\"\n"));
    assert_non_null(strstr(once, "\nAddress = \"fd00::1/128\"\nTargetIPAddress = "));
}

/* Where lines are is another matter. */
static bool same_but_for_lines(const char *a, const char *b)
{
    const char *a_end = strstr(a, ", line"), *b_end = strstr(b, ", line");
    size_t length = a_end != NULL ? (size_t)(a_end - a) : strlen(a);
    return length == (b_end != NULL ? (size_t)(b_end - b) : strlen(b)) &&
           strncmp(a, b, length) == 0;
}

static void what_is_printed_counts_for_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof effective / sizeof *effective; i++) {
        struct configuration *configuration;
        struct scoped_parameters got;
        char counts[512];
        read_and_print(effective[i].text, once);
        read_and_print(once, again);
        assert_string_equal(once, again);
        assert_status(parse(&configuration, once), STATUS_OK);
        resolve(configuration, effective[i].of, &got);
        describe(&got, effective[i].counts, counts);
        if (!same_but_for_lines(counts, effective[i].counts))
            fail_msg("\"%s\" printed as\n%s\ngives %s\nnot %s", effective[i].text, once, counts,
                     effective[i].counts);
        scoped_parameters_wipe(&got);
        configuration_free(configuration);
    }
}

/* --- bounds --- */

static void a_long_line_is_refused_and_the_message_fits(void **state)
{
    struct configuration *configuration;
    char text[5000], small[16] = "";
    struct configuration_first first = {small, sizeof small};
    const struct configuration_teller teller = {configuration_tell_first, &first};
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[2500] = '=';
    assert_status(parse(&configuration, text), STATUS_CONFIGURATION);
    assert_string_equal(told, "f:1:2048: the line is too long");
    assert_status(configuration_parse(&configuration, "A = 1\nB = 2", "file.conf", &teller),
                  STATUS_CONFIGURATION);
    assert_string_equal(small, "file.conf:1:1: ");
    assert_status(configuration_parse(&configuration, "A = 1", "f", NULL), STATUS_CONFIGURATION);
}

static void sections_and_problems_have_a_bound(void **state)
{
    struct configuration *configuration;
    const size_t room = 5000 * 40;
    char *text = os_alloc(room);
    size_t used = 0;
    (void)state;
    for (unsigned i = 0; i < 4097; i++)
        used +=
            (size_t)snprintf(text + used, room - used, "Address = 10.0.%u.%u\n", i / 256, i % 256);
    assert_status(parse(&configuration, text), STATUS_CONFIGURATION);
    assert_string_equal(told, "f:4097:1: there are more than 4096 sections");
    used = 0;
    for (unsigned i = 0; i < 200; i++)
        used += (size_t)snprintf(text + used, room - used, "A = 1\n");
    assert_status(parse(&configuration, text), STATUS_CONFIGURATION);
    assert_non_null(strstr(told, "f:100:1: "));
    assert_null(strstr(told, "f:101:1: "));
    os_free(text);
}

static void memory_may_run_out_anywhere(void **state)
{
    static const char text[] = "Username = me\nPassword = 123456789012\nDiscoveryAddress = h\n"
                               " LoginTimeout = 5\nTargetName = " A "\n HeaderDigest = always";
    (void)state;
    enum status status = STATUS_NO_MEMORY;
    for (long nth = 1; status != STATUS_OK; nth++) {
        struct configuration *configuration;
        os_alloc_fail_at(nth);
        status = configuration_parse(&configuration, text, "f", &collector);
        os_alloc_fail_at(0);
        if (status != STATUS_OK) {
            assert_status(status, STATUS_NO_MEMORY);
            assert_null(configuration);
            assert_true(nth < 100);
        }
        configuration_free(configuration);
    }
}

/* --- files --- */

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static enum status load(const char *directory, struct configuration **out)
{
    told[0] = '\0';
    return configuration_load(out, directory, &collector);
}

static void the_state_directory_has_the_first_say(void **state)
{
    struct configuration *configuration;
    struct scoped_parameters got;
    const struct configuration_subject nobody = {0};
    char path[600];
    const char *directory = getenv("TEST_DIR");
    (void)state;
    if (directory == NULL)
        skip();
    snprintf(path, sizeof path, "%s/iscsi.conf", directory);
    write_file(path, "LoginTimeout = 4\n", 17);
    assert_status(load(directory, &configuration), STATUS_OK);
    configuration_resolve(configuration, &nobody, &got);
    assert_int_equal(got.login_timeout, 4);
    assert_string_equal(configuration_file(configuration), path);
    configuration_free(configuration);
    write_file(path, "LoginTimeout = x\n", 17);
    assert_status(load(directory, &configuration), STATUS_CONFIGURATION);
    assert_non_null(strstr(told, "iscsi.conf:1:16: LoginTimeout"));
    write_file(path, "A\0B", 3);
    assert_status(load(directory, &configuration), STATUS_CONFIGURATION);
    assert_non_null(strstr(told, "not a text file"));
    remove(path);
    told[0] = '\0';
    assert_status(configuration_load_file(&configuration, path, &collector), STATUS_CONFIGURATION);
    assert_non_null(strstr(told, "iscsi.conf: there is no such file"));
    assert_status(load(NULL, &configuration), STATUS_OK);
    assert_string_equal(configuration_file(configuration), "");
    configuration_free(configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_line_and_column),
        cmocka_unit_test(the_most_specific_counts),
        cmocka_unit_test(what_is_doubtful_is_told_and_counts),
        cmocka_unit_test(every_number_takes_its_limits_and_no_more),
        cmocka_unit_test(defaults_are_those_of_windows),
        cmocka_unit_test(service_texts_and_lines_are_kept),
        cmocka_unit_test(discovery_addresses_come_in_their_order),
        cmocka_unit_test(secrets_are_found_and_forgotten),
        cmocka_unit_test(what_was_read_reads_the_same_again),
        cmocka_unit_test(what_is_printed_counts_for_the_same),
        cmocka_unit_test(a_long_line_is_refused_and_the_message_fits),
        cmocka_unit_test(sections_and_problems_have_a_bound),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(the_state_directory_has_the_first_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
