/*
 * What a target can do wrong, and what the caller of the discovery library must be told.
 * iscsi-test-peer plays each row on a port of its own; the test of the library goes through the
 * rows.
 *
 * Columns: name; phase, the operation that the target spoils; code that the operation must return;
 * targets that discovery through the port must tell of; line of the protocol checklist (0: none);
 * what the target does. ERROR_SUCCESS: odd, but allowed, or without harm.
 */
#ifndef MISBEHAVIOURS_H
#define MISBEHAVIOURS_H

#define MISBEHAVIOUR_TARGET "iqn.2026-11.org.example:" /* and the case's name */

enum misbehaviour_phase {
    PHASE_DISCOVERY, /* AddIScsiSendTargetPortal */
    PHASE_LOGIN,     /* LoginIScsiTarget without authentication */
    PHASE_CHAP,      /* with one-way CHAP */
    PHASE_MUTUAL,    /* with mutual CHAP */
    PHASE_COMMAND,   /* SendScsiInquiry */
    PHASE_DIGEST,    /* the same in a session with header and data digests */
    PHASE_LOGOUT,    /* LogoutIScsiTarget */
};

#define MISBEHAVIOUR_LARGE_COUNT 24000 /* targets of the answer of megabytes */

/* clang-format off */
#define MISBEHAVIOURS(M) \
    /* --- discovery: the connection --- */ \
    M("discovery-good", DISCOVERY, ERROR_SUCCESS, 1, 0, "nothing wrong") \
    M("discovery-refused", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 0, "nothing listens on the port") \
    M("discovery-silent", DISCOVERY, ERROR_SEM_TIMEOUT, 0, 0, "accepts and never says a byte") \
    M("discovery-closes-at-once", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 0, "closes after accepting") \
    M("discovery-resets-at-once", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 0, "resets after accepting") \
    M("discovery-closes-in-header", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 50, "closes within the first Login Response's header") \
    M("discovery-closes-in-text", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 50, "closes within the data of the Text Response") \
    M("discovery-closes-before-text", DISCOVERY, ISDSC_CONNECTION_FAILED, 0, 50, "closes when it is asked for targets") \
    M("discovery-garbage", DISCOVERY, ERROR_BAD_NET_RESP, 0, 0, "sends random bytes") \
    M("discovery-http", DISCOVERY, ERROR_BAD_NET_RESP, 0, 0, "is a web server") \
    M("discovery-byte-by-byte", DISCOVERY, ERROR_SUCCESS, 1, 50, "sends a byte at a time") \
    M("discovery-slow-drip", DISCOVERY, ERROR_SEM_TIMEOUT, 0, 0, "sends a byte each 300 ms") \
    M("discovery-undefined-opcode", DISCOVERY, ERROR_BAD_NET_RESP, 0, 0, "answers with an opcode that there is not") \
    M("discovery-unavailable", DISCOVERY, ISDSC_SERVICE_UNAVAILABLE, 0, 0, "refuses discovery sessions with 0301") \
    M("discovery-not-allowed", DISCOVERY, ISDSC_AUTHORIZATION_FAILURE, 0, 0, "refuses discovery sessions with 0202") \
    M("discovery-type-refused", DISCOVERY, ISDSC_SESSION_TYPE_NOT_SUPPORTED, 0, 0, "refuses discovery sessions with 0209") \
    M("discovery-redirect", DISCOVERY, ERROR_SUCCESS, 1, 30, "sends the discovery session to another port") \
    M("discovery-redirect-loop", DISCOVERY, ISDSC_LOGIN_FAILED, 0, 30, "sends the discovery session back to itself") \
    M("discovery-nop-in", DISCOVERY, ERROR_SUCCESS, 1, 40, "answers when its ping was answered") \
    M("discovery-stat-sn-gap", DISCOVERY, ERROR_BAD_NET_RESP, 0, 4, "jumps ahead in StatSN in the Text Response") \
    M("discovery-long-segment", DISCOVERY, ERROR_BAD_NET_RESP, 0, 21, "sends a data segment longer than declared acceptable") \
    /* --- discovery: the answer --- */ \
    M("sendtargets-empty", DISCOVERY, ERROR_SUCCESS, 0, 25, "has no targets") \
    M("sendtargets-large", DISCOVERY, ERROR_SUCCESS, MISBEHAVIOUR_LARGE_COUNT, 25, "answers with 2 MB of targets") \
    M("sendtargets-split-key", DISCOVERY, ERROR_SUCCESS, 2, 24, "splits the text within keys and values") \
    M("sendtargets-endless", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 25, "never ends its answer") \
    M("sendtargets-endless-empty", DISCOVERY, ERROR_SEM_TIMEOUT, 0, 25, "never ends its answer, and says nothing in it") \
    M("sendtargets-c-without-ttt", DISCOVERY, ERROR_BAD_NET_RESP, 0, 24, "C bit with the reserved TTT") \
    M("sendtargets-ttt-when-final", DISCOVERY, ERROR_BAD_NET_RESP, 0, 25, "F bit with a valid TTT") \
    M("sendtargets-c-when-final", DISCOVERY, ERROR_BAD_NET_RESP, 0, 24, "F bit and C bit together") \
    M("sendtargets-wrong-itt", DISCOVERY, ERROR_BAD_NET_RESP, 0, 8, "answers another ITT") \
    M("sendtargets-answers-twice", DISCOVERY, ERROR_SUCCESS, 1, 8, "sends the same Text Response again") \
    M("sendtargets-reject", DISCOVERY, ISDSC_REQUEST_NOT_SUPPORTED, 0, 42, "sends a Reject for the Text Request") \
    M("sendtargets-refused", DISCOVERY, ISDSC_REQUEST_NOT_SUPPORTED, 0, 27, "answers SendTargets=Reject") \
    M("sendtargets-no-nul", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 28, "the last pair has no NUL") \
    M("sendtargets-no-equals", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 28, "a pair without =") \
    M("sendtargets-long-pair", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 27, "a pair of 10,000 bytes") \
    M("sendtargets-endless-pair", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 27, "a pair over many PDUs") \
    M("sendtargets-address-first", DISCOVERY, ISDSC_INVALID_SENDTARGETS_TEXT, 0, 28, "TargetAddress before any TargetName") \
    M("sendtargets-bad-names", DISCOVERY, ERROR_SUCCESS, 1, 28, "names that are not iSCSI names beside a good one") \
    M("sendtargets-control-characters", DISCOVERY, ERROR_SUCCESS, 1, 28, "control characters in names") \
    M("sendtargets-paths", DISCOVERY, ERROR_SUCCESS, 1, 28, "names that would be paths") \
    M("sendtargets-long-name", DISCOVERY, ERROR_SUCCESS, 1, 28, "a name of 224 bytes") \
    M("sendtargets-extra-nuls", DISCOVERY, ERROR_SUCCESS, 1, 28, "NULs in front of, between and behind the pairs") \
    M("sendtargets-unknown-keys", DISCOVERY, ERROR_SUCCESS, 1, 26, "keys that nobody knows") \
    M("sendtargets-duplicates", DISCOVERY, ERROR_SUCCESS, 1, 27, "the same target three times") \
    M("sendtargets-no-address", DISCOVERY, ERROR_SUCCESS, 1, 25, "a target without an address") \
    M("sendtargets-address-forms", DISCOVERY, ERROR_SUCCESS, 1, 49, "IPv6, host name, no port, no group") \
    M("sendtargets-bad-addresses", DISCOVERY, ERROR_SUCCESS, 1, 49, "addresses that are none beside a good one") \
    /* --- login: refusals --- */ \
    M("login-status-0101", LOGIN, ISDSC_TARGET_MOVED_TEMPORARILY, 1, 30, "moved, without saying where to") \
    M("login-status-0102", LOGIN, ISDSC_TARGET_MOVED_PERMANENTLY, 1, 30, "moved for good, without saying where to") \
    M("login-status-0200", LOGIN, ISDSC_INITIATOR_ERROR, 1, 0, "status 0200") \
    M("login-status-0201", LOGIN, ISDSC_AUTHENTICATION_FAILURE, 1, 0, "status 0201") \
    M("login-status-0202", LOGIN, ISDSC_AUTHORIZATION_FAILURE, 1, 0, "status 0202") \
    M("login-status-0203", LOGIN, ISDSC_NOT_FOUND, 1, 0, "status 0203") \
    M("login-status-0204", LOGIN, ISDSC_TARGET_REMOVED, 1, 0, "status 0204") \
    M("login-status-0205", LOGIN, ISDSC_UNSUPPORTED_VERSION, 1, 0, "status 0205") \
    M("login-status-0206", LOGIN, ISDSC_TOO_MANY_CONNECTIONS, 1, 0, "status 0206") \
    M("login-status-0207", LOGIN, ISDSC_MISSING_PARAMETER, 1, 0, "status 0207") \
    M("login-status-0208", LOGIN, ISDSC_CANT_INCLUDE_IN_SESSION, 1, 0, "status 0208") \
    M("login-status-0209", LOGIN, ISDSC_SESSION_TYPE_NOT_SUPPORTED, 1, 0, "status 0209") \
    M("login-status-020a", LOGIN, ISDSC_INITIATOR_ERROR, 1, 0, "status 020a") \
    M("login-status-020b", LOGIN, ISDSC_INITIATOR_ERROR, 1, 0, "status 020b") \
    M("login-status-02ff", LOGIN, ISDSC_INITIATOR_ERROR, 1, 0, "class 2 with a detail that there is not") \
    M("login-status-0300", LOGIN, ISDSC_TARGET_ERROR, 1, 0, "status 0300") \
    M("login-status-0301", LOGIN, ISDSC_SERVICE_UNAVAILABLE, 1, 0, "status 0301") \
    M("login-status-0302", LOGIN, ISDSC_OUT_OF_RESOURCES, 1, 0, "status 0302") \
    M("login-status-03ff", LOGIN, ISDSC_TARGET_ERROR, 1, 0, "class 3 with a detail that there is not") \
    M("login-status-0700", LOGIN, ISDSC_LOGIN_FAILED, 1, 0, "a status class that there is not") \
    M("login-refused-late", LOGIN, ISDSC_SERVICE_UNAVAILABLE, 1, 0, "status 0301 at the end of the negotiation") \
    M("login-chap-demanded", LOGIN, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "demands CHAP, which was not offered") \
    /* --- login: redirects --- */ \
    M("login-redirect", LOGIN, ERROR_SUCCESS, 1, 30, "moved temporarily to another port") \
    M("login-redirect-permanent", LOGIN, ERROR_SUCCESS, 1, 30, "moved permanently to another port") \
    M("login-redirect-twice", LOGIN, ERROR_SUCCESS, 1, 30, "moved, and moved again") \
    M("login-redirect-self", LOGIN, ISDSC_LOGIN_FAILED, 1, 30, "moved to where it is") \
    M("login-redirect-circle", LOGIN, ISDSC_LOGIN_FAILED, 1, 30, "two ports that send to each other") \
    M("login-redirect-chain", LOGIN, ISDSC_LOGIN_FAILED, 1, 30, "a chain of 20 ports") \
    M("login-redirect-malformed", LOGIN, ISDSC_TARGET_MOVED_TEMPORARILY, 1, 30, "moved to what is no address") \
    M("login-redirect-closed", LOGIN, ISDSC_CONNECTION_FAILED, 1, 30, "moved to a port where nothing listens") \
    /* --- login: headers --- */ \
    M("login-wrong-itt", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "answers another ITT") \
    M("login-wrong-isid", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "answers another ISID") \
    M("login-wrong-version", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "claims a protocol version that was not offered") \
    M("login-wrong-stage", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "answers for another stage") \
    M("login-stage-backwards", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "goes from the operational to the security stage") \
    M("login-stage-two", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "goes to the reserved stage 2") \
    M("login-transit-and-more", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "T bit and C bit together") \
    M("login-tsih-zero", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "ends the login with TSIH 0") \
    M("login-stat-sn-gap", LOGIN, ERROR_BAD_NET_RESP, 1, 4, "jumps ahead in StatSN") \
    M("login-long-segment", LOGIN, ERROR_BAD_NET_RESP, 1, 21, "sends more than 8192 bytes in one PDU") \
    M("login-transit-late", LOGIN, ERROR_SUCCESS, 1, 32, "grants the T bit at the third request only") \
    M("login-endless", LOGIN, ERROR_BAD_NET_RESP, 1, 32, "never grants the T bit") \
    M("login-c-bit", LOGIN, ERROR_SUCCESS, 1, 24, "splits its text within a key") \
    M("login-c-bit-endless", LOGIN, ERROR_BAD_NET_RESP, 1, 24, "never ends its text") \
    /* --- login: other PDUs, the connection --- */ \
    M("login-async-message", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "sends an Async Message during the login") \
    M("login-reject", LOGIN, ISDSC_REQUEST_NOT_SUPPORTED, 1, 42, "sends a Reject during the login") \
    M("login-scsi-response", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "sends a SCSI Response during the login") \
    M("login-nop-in", LOGIN, ERROR_BAD_NET_RESP, 1, 33, "sends a NOP-In during the login") \
    M("login-closes", LOGIN, ISDSC_CONNECTION_FAILED, 1, 33, "closes in mid-login") \
    M("login-closes-at-once", LOGIN, ISDSC_CONNECTION_FAILED, 1, 33, "closes at the first Login Request") \
    M("login-closes-in-pdu", LOGIN, ISDSC_CONNECTION_FAILED, 1, 50, "closes within a Login Response") \
    M("login-resets", LOGIN, ISDSC_CONNECTION_FAILED, 1, 33, "resets in mid-login") \
    M("login-silent", LOGIN, ERROR_SEM_TIMEOUT, 1, 0, "says nothing to the first Login Request") \
    M("login-silent-later", LOGIN, ERROR_SEM_TIMEOUT, 1, 0, "says nothing to the second Login Request") \
    M("login-slow-drip", LOGIN, ERROR_SEM_TIMEOUT, 1, 0, "sends a byte each 300 ms") \
    M("login-byte-by-byte", LOGIN, ERROR_SUCCESS, 1, 50, "sends a byte at a time") \
    /* --- login: keys --- */ \
    M("login-key-twice", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "the same answer twice") \
    M("login-segment-too-small", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "MaxRecvDataSegmentLength=1") \
    M("login-segment-too-large", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "MaxRecvDataSegmentLength=16777216") \
    M("login-number-negative", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "MaxBurstLength=-1") \
    M("login-number-overflow", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "MaxBurstLength=18446744073709551617") \
    M("login-number-empty", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "MaxBurstLength= and nothing") \
    M("login-burst-above-offer", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "MaxBurstLength above the offer") \
    M("login-first-burst-above-offer", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "FirstBurstLength above the offer") \
    M("login-connections-above-offer", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "MaxConnections above the offer") \
    M("login-r2t-above-offer", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "MaxOutstandingR2T above the offer") \
    M("login-recovery-level", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "ErrorRecoveryLevel=3") \
    M("login-time2wait-below-offer", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "DefaultTime2Wait=0 where the larger counts") \
    M("login-boolean", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "ImmediateData=Maybe") \
    M("login-in-order-no", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "DataPDUInOrder=No where Yes decides") \
    M("login-digest-not-offered", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "HeaderDigest=CRC32C, not offered") \
    M("login-digest-unknown", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "DataDigest=MD5") \
    M("login-digest-list", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 29, "answers a list with a list") \
    M("login-answers-rejected", LOGIN, ERROR_SUCCESS, 1, 27, "answers MaxOutstandingR2T with Reject") \
    M("login-answers-irrelevant", LOGIN, ERROR_SUCCESS, 1, 27, "answers DefaultTime2Retain with Irrelevant") \
    M("login-answers-not-understood", LOGIN, ERROR_SUCCESS, 1, 27, "answers MaxConnections with NotUnderstood") \
    M("login-hexadecimal", LOGIN, ERROR_SUCCESS, 1, 27, "MaxRecvDataSegmentLength=0x2000") \
    M("login-unknown-keys", LOGIN, ERROR_SUCCESS, 1, 27, "keys that nobody knows") \
    M("login-markers", LOGIN, ERROR_SUCCESS, 1, 27, "offers markers") \
    M("login-text-nuls", LOGIN, ERROR_SUCCESS, 1, 28, "NULs in front of and between the pairs") \
    M("login-text-no-equals", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 28, "a pair without =") \
    M("login-text-no-nul", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 28, "the last pair has no NUL") \
    M("login-text-control", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 28, "a control character in a value") \
    M("login-text-long-key", LOGIN, ISDSC_INVALID_TEXT_KEY, 1, 27, "a key of 64 characters") \
    /* --- CHAP, the target asks --- */ \
    M("chap-good", CHAP, ERROR_SUCCESS, 1, 0, "nothing wrong") \
    M("chap-refused", CHAP, ISDSC_AUTHENTICATION_FAILURE, 1, 0, "refuses the right response with 0201") \
    M("chap-method-none", CHAP, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "AuthMethod=None where CHAP was asked for") \
    M("chap-method-unknown", CHAP, ISDSC_INVALID_TEXT_KEY, 1, 29, "AuthMethod=KRB5") \
    M("chap-method-reject", CHAP, ISDSC_AUTHENTICATION_FAILURE, 1, 27, "AuthMethod=Reject") \
    M("chap-method-missing", CHAP, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "does not answer AuthMethod") \
    M("chap-moves-on", CHAP, ERROR_BAD_NET_RESP, 1, 36, "goes to the operational stage instead of asking") \
    M("chap-algorithm-not-offered", CHAP, ERROR_BAD_NET_RESP, 1, 38, "CHAP_A=99") \
    M("chap-algorithm-text", CHAP, ERROR_BAD_NET_RESP, 1, 38, "CHAP_A=MD5") \
    M("chap-algorithm-list", CHAP, ERROR_BAD_NET_RESP, 1, 38, "CHAP_A=5,7") \
    M("chap-algorithm-missing", CHAP, ERROR_BAD_NET_RESP, 1, 38, "no CHAP_A") \
    M("chap-identifier-256", CHAP, ERROR_BAD_NET_RESP, 1, 34, "CHAP_I=256") \
    M("chap-identifier-text", CHAP, ERROR_BAD_NET_RESP, 1, 34, "CHAP_I=one") \
    M("chap-identifier-missing", CHAP, ERROR_BAD_NET_RESP, 1, 34, "no CHAP_I") \
    M("chap-challenge-missing", CHAP, ERROR_BAD_NET_RESP, 1, 37, "no CHAP_C") \
    M("chap-challenge-empty", CHAP, ERROR_BAD_NET_RESP, 1, 37, "CHAP_C=0x") \
    M("chap-challenge-bare", CHAP, ERROR_BAD_NET_RESP, 1, 37, "CHAP_C without 0x") \
    M("chap-challenge-long", CHAP, ERROR_BAD_NET_RESP, 1, 37, "CHAP_C of 1025 bytes") \
    M("chap-challenge-not-hex", CHAP, ERROR_BAD_NET_RESP, 1, 37, "CHAP_C=0xzz...") \
    M("chap-challenge-not-base64", CHAP, ERROR_BAD_NET_RESP, 1, 37, "CHAP_C=0b with characters that are not base64") \
    M("chap-challenge-odd", CHAP, ERROR_SUCCESS, 1, 37, "CHAP_C with an odd number of digits") \
    M("chap-challenge-upper", CHAP, ERROR_SUCCESS, 1, 37, "CHAP_C=0X... in upper case") \
    M("chap-challenge-base64", CHAP, ERROR_SUCCESS, 1, 37, "CHAP_C in base64") \
    M("chap-keys-reversed", CHAP, ERROR_SUCCESS, 1, 27, "CHAP_C, CHAP_I and CHAP_A in this order") \
    M("chap-key-twice", CHAP, ERROR_BAD_NET_RESP, 1, 27, "CHAP_I twice") \
    M("chap-unknown-key", CHAP, ERROR_BAD_NET_RESP, 1, 27, "CHAP_X") \
    M("chap-asks-twice", CHAP, ERROR_BAD_NET_RESP, 1, 34, "answers the response with another challenge") \
    M("chap-skips-stage", CHAP, ERROR_BAD_NET_RESP, 1, 32, "goes to full feature phase where operational was asked for") \
    M("chap-silent", CHAP, ERROR_SEM_TIMEOUT, 1, 0, "says nothing to the response") \
    M("chap-closes", CHAP, ISDSC_CONNECTION_FAILED, 1, 0, "closes instead of asking") \
    /* --- mutual CHAP, the target proves itself --- */ \
    M("mutual-good", MUTUAL, ERROR_SUCCESS, 1, 0, "nothing wrong") \
    M("mutual-wrong-secret", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "does not know its secret") \
    M("mutual-same-secret", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 34, "proves itself with the initiator's secret") \
    M("mutual-no-response", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "goes on without CHAP_N and CHAP_R") \
    M("mutual-no-name", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "CHAP_R without CHAP_N") \
    M("mutual-name-only", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "CHAP_N without CHAP_R") \
    M("mutual-empty-name", MUTUAL, ERROR_BAD_NET_RESP, 1, 34, "CHAP_N is empty") \
    M("mutual-initiators-name", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 34, "CHAP_N is the initiator's name") \
    M("mutual-reflected", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 34, "CHAP_R is the initiator's own") \
    M("mutual-short-response", MUTUAL, ISDSC_AUTHENTICATION_FAILURE, 1, 36, "CHAP_R of two bytes") \
    M("mutual-long-response", MUTUAL, ERROR_BAD_NET_RESP, 1, 37, "CHAP_R of 1025 bytes") \
    M("mutual-response-not-hex", MUTUAL, ERROR_BAD_NET_RESP, 1, 37, "CHAP_R=0xzz...") \
    M("mutual-asks-again", MUTUAL, ERROR_BAD_NET_RESP, 1, 34, "the initiator's challenge comes back beside the proof") \
    /* --- commands: answers --- */ \
    M("command-good", COMMAND, ERROR_SUCCESS, 1, 0, "nothing wrong") \
    M("command-byte-by-byte", COMMAND, ERROR_SUCCESS, 1, 50, "sends a byte at a time") \
    M("command-tiny-pdus", COMMAND, ERROR_SUCCESS, 1, 15, "one byte in each Data-In") \
    M("command-empty-data", COMMAND, ERROR_SUCCESS, 1, 15, "a Data-In without data in front") \
    M("command-wrong-itt", COMMAND, ERROR_BAD_NET_RESP, 1, 8, "a SCSI Response for a task that there is not") \
    M("command-data-unknown-task", COMMAND, ERROR_BAD_NET_RESP, 1, 8, "Data-In for a task that there is not") \
    M("command-answers-twice", COMMAND, ERROR_SUCCESS, 1, 8, "the same SCSI Response twice") \
    M("command-offset-beyond", COMMAND, ERROR_BAD_NET_RESP, 1, 15, "data behind the end of the buffer") \
    M("command-offset-overflow", COMMAND, ERROR_BAD_NET_RESP, 1, 15, "an offset that overflows with the length") \
    M("command-offset-gap", COMMAND, ERROR_BAD_NET_RESP, 1, 12, "data that leave out the first bytes") \
    M("command-too-much-data", COMMAND, ERROR_BAD_NET_RESP, 1, 16, "more data than were asked for") \
    M("command-data-sn-gap", COMMAND, ERROR_BAD_NET_RESP, 1, 7, "jumps ahead in DataSN") \
    M("command-stat-sn-gap", COMMAND, ERROR_BAD_NET_RESP, 1, 4, "jumps ahead in StatSN") \
    M("command-underflow", COMMAND, ERROR_SUCCESS, 1, 16, "20 bytes, the rest is underflow") \
    M("command-overflow", COMMAND, ERROR_SUCCESS, 1, 16, "the whole buffer, and 1000 bytes of overflow") \
    M("command-target-failure", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 17, "status GOOD, response code 1") \
    M("command-check-condition", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 19, "CHECK CONDITION with sense") \
    M("command-check-in-data", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 19, "CHECK CONDITION in a Data-In") \
    M("command-no-sense", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 18, "CHECK CONDITION without sense") \
    M("command-sense-cut", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 18, "five bytes of sense") \
    M("command-sense-lies", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 18, "the sense's length field says 65535") \
    M("command-sense-one-byte", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 18, "one byte where the length field has two") \
    M("command-busy", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 19, "BUSY for ever") \
    M("command-busy-once", COMMAND, ERROR_SUCCESS, 1, 19, "BUSY, then the answer") \
    M("command-task-set-full", COMMAND, ERROR_SUCCESS, 1, 19, "TASK SET FULL, then the answer") \
    M("command-reservation-conflict", COMMAND, ISDSC_SCSI_REQUEST_FAILED, 1, 0, "RESERVATION CONFLICT") \
    /* --- commands: the connection, other PDUs --- */ \
    M("command-silent", COMMAND, ERROR_SEM_TIMEOUT, 1, 0, "no answer") \
    M("command-late", COMMAND, ERROR_SEM_TIMEOUT, 1, 8, "an answer after the time is over") \
    M("command-closes", COMMAND, ISDSC_TRANSPORT_ERROR, 1, 0, "closes") \
    M("command-resets", COMMAND, ISDSC_TRANSPORT_ERROR, 1, 0, "resets") \
    M("command-closes-in-data", COMMAND, ISDSC_TRANSPORT_ERROR, 1, 50, "closes within the data") \
    M("command-reject", COMMAND, ISDSC_REQUEST_NOT_SUPPORTED, 1, 42, "a Reject for the command") \
    M("command-rejects-another", COMMAND, ERROR_SUCCESS, 1, 42, "Rejects for what was never sent, then the answer") \
    M("command-reject-storm", COMMAND, ERROR_SUCCESS, 1, 42, "a thousand of those") \
    M("command-undefined-opcode", COMMAND, ERROR_BAD_NET_RESP, 1, 0, "an opcode that there is not") \
    M("command-initiator-opcode", COMMAND, ERROR_BAD_NET_RESP, 1, 0, "a SCSI Command") \
    M("command-long-segment", COMMAND, ERROR_BAD_NET_RESP, 1, 21, "a data segment longer than declared acceptable") \
    M("command-nop-in", COMMAND, ERROR_SUCCESS, 1, 40, "answers when its ping was answered") \
    M("command-nop-storm", COMMAND, ERROR_SUCCESS, 1, 40, "a thousand pings, then the answer") \
    M("command-nop-unasked", COMMAND, ERROR_BAD_NET_RESP, 1, 40, "a NOP-In that answers nothing") \
    M("command-async-scsi", COMMAND, ERROR_SUCCESS, 1, 41, "async event 0, then the answer") \
    M("command-async-logout", COMMAND, ERROR_SUCCESS, 1, 41, "async event 1, then the answer") \
    M("command-async-drop-connection", COMMAND, ISDSC_TRANSPORT_ERROR, 1, 41, "async event 2") \
    M("command-async-drop-session", COMMAND, ISDSC_TRANSPORT_ERROR, 1, 41, "async event 3") \
    M("command-async-renegotiate", COMMAND, ERROR_SUCCESS, 1, 41, "async event 4, then the answer") \
    M("command-async-vendor", COMMAND, ERROR_SUCCESS, 1, 41, "async event 255, then the answer") \
    M("command-async-unknown", COMMAND, ERROR_SUCCESS, 1, 41, "async event 77, then the answer") \
    M("command-window-closed", COMMAND, ERROR_SUCCESS, 1, 1, "the window is closed for 300 ms") \
    M("command-window-contradiction", COMMAND, ERROR_SUCCESS, 1, 1, "MaxCmdSN below ExpCmdSN - 1") \
    M("command-r2t", COMMAND, ERROR_BAD_NET_RESP, 1, 10, "an R2T for a read") \
    M("command-r2t-unknown-task", COMMAND, ERROR_BAD_NET_RESP, 1, 10, "an R2T for a task that there is not") \
    M("command-login-response", COMMAND, ERROR_BAD_NET_RESP, 1, 0, "a Login Response") \
    M("command-text-response", COMMAND, ERROR_BAD_NET_RESP, 1, 0, "a Text Response that nobody asked for") \
    M("command-task-response", COMMAND, ERROR_BAD_NET_RESP, 1, 46, "a Task Management Response that nobody asked for") \
    M("command-logout-response", COMMAND, ERROR_BAD_NET_RESP, 1, 47, "a Logout Response that nobody asked for") \
    /* --- digests --- */ \
    M("digest-good", DIGEST, ERROR_SUCCESS, 1, 20, "nothing wrong") \
    M("digest-header", DIGEST, ERROR_CRC, 1, 23, "a wrong header digest") \
    M("digest-data", DIGEST, ERROR_CRC, 1, 23, "a wrong data digest") \
    M("digest-payload", DIGEST, ERROR_CRC, 1, 23, "a flipped bit in the data") \
    M("digest-padding", DIGEST, ERROR_CRC, 1, 20, "a flipped bit in the padding") \
    M("digest-missing", DIGEST, ERROR_CRC, 1, 22, "leaves out the digests it agreed to") \
    /* --- logout --- */ \
    M("logout-good", LOGOUT, ERROR_SUCCESS, 1, 0, "nothing wrong") \
    M("logout-no-cid", LOGOUT, ISDSC_SESSION_BUSY, 1, 47, "response 1") \
    M("logout-no-recovery", LOGOUT, ISDSC_SESSION_BUSY, 1, 47, "response 2") \
    M("logout-cleanup-failed", LOGOUT, ISDSC_SESSION_BUSY, 1, 47, "response 3") \
    M("logout-response-unknown", LOGOUT, ISDSC_SESSION_BUSY, 1, 47, "response 77") \
    M("logout-reject", LOGOUT, ISDSC_SESSION_BUSY, 1, 42, "a Reject for the Logout Request") \
    M("logout-silent", LOGOUT, ERROR_SEM_TIMEOUT, 1, 0, "no answer") \
    M("logout-closes", LOGOUT, ERROR_SUCCESS, 1, 0, "closes instead of answering") \
    M("logout-resets", LOGOUT, ERROR_SUCCESS, 1, 0, "resets instead of answering") \
    M("logout-wrong-itt", LOGOUT, ERROR_BAD_NET_RESP, 1, 47, "answers another ITT") \
    M("logout-after-nops", LOGOUT, ERROR_SUCCESS, 1, 40, "a hundred pings, then the answer") \
    M("logout-stays-open", LOGOUT, ERROR_SUCCESS, 1, 47, "answers and does not close")
/* clang-format on */

struct misbehaviour_row {
    const char *name;
    enum misbehaviour_phase phase;
    unsigned long code;
    unsigned targets;
    unsigned checklist;
    const char *what;
};

#define MISBEHAVIOUR_ROW(name, phase, code, targets, checklist, what)                              \
    {name, PHASE_##phase, (unsigned long)(code), targets, checklist, what},

#endif
