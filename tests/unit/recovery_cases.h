/*
 * What can go wrong in full feature phase, case by case: each is a script of the target
 * (docs/faults.md) and what has to become of six commands that are under way then: two writes, two
 * reads, a command that goes both ways, and TEST UNIT READY.
 *
 * CASE(name, level, traits, outcome, script)
 *
 * The level is ErrorRecoveryLevel. Outcomes:
 *   GOOD   all commands succeed, no connection is lost
 *   AGAIN  all commands succeed, at least one connection is lost
 *   FAILS  the connection stands, at least one command ends with an error
 *   LOST   the connection is lost, and at least one command ends with an error
 * Whatever the outcome: what succeeded is true, on the disk and in the reader's buffer, and every
 * rule of the script was obeyed.
 *
 * Numbers to count with: segments of 2,048 bytes, sequences of 8,192. The first write, of 4,096
 * bytes, needs 2 Data-Out; the second, of 24,576, 3 R2Ts. The reads bring 2 and 16 Data-In, each
 * with the status in the last.
 */

/* clang-format off */

/* --- nothing goes wrong --- */
CASE(sound_0, 0, 0, GOOD, "")
CASE(sound_1, 1, 0, GOOD, "")
CASE(sound_2, 2, 0, GOOD, "")
CASE(sound_digests_0, 0, DIGESTS, GOOD, "")
CASE(sound_digests_1, 1, DIGESTS, GOOD, "")
CASE(sound_digests_2, 2, DIGESTS, GOOD, "")
CASE(sound_asked_0, 0, ASKED, GOOD, "")
CASE(sound_asked_1, 1, ASKED, GOOD, "")
CASE(sound_immediate_only, 1, IMMEDIATE_ONLY, GOOD, "")
CASE(sound_unsolicited_only, 1, UNSOLICITED_ONLY, GOOD, "")
CASE(sound_shuffled_0, 0, SHUFFLED, GOOD, "")
CASE(sound_shuffled_1, 1, SHUFFLED, GOOD, "")
CASE(sound_shuffled_2, 2, SHUFFLED | ASKED, GOOD, "")
CASE(sound_backwards_0, 0, BACKWARDS, GOOD, "")
CASE(sound_backwards_1, 1, BACKWARDS | ASKED, GOOD, "")
CASE(sound_separate_status, 1, SEPARATE, GOOD, "")
CASE(sound_without_data_ack, 1, NO_ACK, GOOD, "")
CASE(sound_two_connections, 2, TWO, GOOD, "")
CASE(sound_two_connections_0, 0, TWO, GOOD, "")
CASE(sound_byte_by_byte, 1, DIGESTS | DRIBBLE, GOOD, "")
CASE(sound_window_of_one, 1, WINDOW_1, GOOD, "")
CASE(sound_one_r2t, 1, ONE_R2T | ASKED, GOOD, "")

/* --- Data-In --- */
CASE(data_in_omitted_1, 1, 0, GOOD, "on data-in 4 omit")
CASE(data_in_first_omitted_1, 1, 0, GOOD, "on data-in with data-sn=0 with again=0 omit")
CASE(data_in_last_omitted_1, 1, 0, GOOD, "on data-in 1-2 with status-present=1 omit")
CASE(data_in_many_omitted_1, 1, 0, GOOD, "on data-in 3-9 omit")
CASE(data_in_every_other_omitted_1, 1, 0, GOOD, "on data-in every 2 with again=0 omit")
CASE(data_in_omitted_twice_1, 1, 0, FAILS, "on data-in 4 omit\non data-in 1 with again=1 omit")
CASE(data_in_omitted_at_end_of_burst_1, 1, 0, GOOD, "on data-in 1 with acknowledge=1 omit")
CASE(data_in_omitted_separate_1, 1, SEPARATE, GOOD, "on data-in 5 omit")
CASE(data_in_omitted_shuffled_1, 1, SHUFFLED, GOOD, "on data-in 5-7 omit")
CASE(data_in_omitted_2, 2, 0, GOOD, "on data-in 4 omit")
CASE(data_in_omitted_0, 0, 0, LOST, "on data-in 4 omit")
CASE(data_in_damaged_1, 1, DIGESTS, GOOD, "on data-in 3 corrupt data 100")
CASE(data_in_digest_damaged_1, 1, DIGESTS, GOOD, "on data-in 3 corrupt data-digest")
CASE(data_in_status_damaged_1, 1, DIGESTS, GOOD, "on data-in 1 with status-present=1 corrupt data")
CASE(data_in_damaged_again_1, 1, DIGESTS, GOOD, "on data-in 3 corrupt data\non data-in 1-2 with again=1 corrupt data")
CASE(data_in_all_damaged_once_1, 1, DIGESTS, GOOD, "on data-in with again=0 corrupt data")
CASE(data_in_damaged_2, 2, DIGESTS, GOOD, "on data-in 3 corrupt data 100")
CASE(data_in_damaged_0, 0, DIGESTS, LOST, "on data-in 3 corrupt data 100")
CASE(data_in_overtaken_1, 1, 0, GOOD, "on data-in 3 behind 2")
CASE(data_in_far_overtaken_1, 1, 0, GOOD, "on data-in 3 behind 9")
CASE(data_in_twice_1, 1, 0, GOOD, "on data-in 5 duplicate")
CASE(data_in_delayed, 1, 0, GOOD, "on data-in 4 delay 400")

/* --- status --- */
CASE(status_omitted_1, 1, 0, GOOD, "on scsi-response 2 omit")
CASE(status_of_read_omitted_1, 1, SEPARATE, GOOD, "on scsi-response 2-4 omit")
CASE(status_first_omitted_1, 1, 0, GOOD, "on status 1 omit")
CASE(status_many_omitted_1, 1, 0, GOOD, "on status 1-4 omit")
CASE(status_omitted_twice_1, 1, 0, FAILS, "on scsi-response 1 omit\non scsi-response 1 with again=1 omit")
CASE(status_omitted_2, 2, 0, GOOD, "on scsi-response 2 omit")
CASE(status_omitted_0, 0, 0, LOST, "on scsi-response 1 omit")
CASE(status_overtaken_1, 1, 0, GOOD, "on status 2 behind 1")
CASE(status_delayed, 1, 0, GOOD, "on scsi-response 1 delay 500")

/* --- R2T --- */
CASE(r2t_omitted_1, 1, ASKED | LATE, GOOD, "on r2t 2 omit")
CASE(r2t_first_omitted_1, 1, ASKED | LATE, GOOD, "on r2t 1 omit")
CASE(r2t_all_omitted_once_1, 1, ASKED | LATE, GOOD, "on r2t 1-4 omit")
CASE(r2t_omitted_2, 2, ASKED | LATE, GOOD, "on r2t 3 omit")
CASE(r2t_overtaken_1, 1, ASKED | LATE, GOOD, "on r2t 2 behind 1")
CASE(r2t_delayed, 1, ASKED, GOOD, "on r2t 2 delay 500")

/* --- Data-Out --- */
CASE(data_out_omitted_1, 1, ASKED | LATE, GOOD, "on data-out 2 omit")
CASE(data_out_first_omitted_1, 1, ASKED | LATE, GOOD, "on data-out 1 omit")
CASE(data_out_final_omitted_1, 1, ASKED | LATE, GOOD, "on data-out 1 with final=1 omit")
CASE(data_out_many_omitted_1, 1, ASKED | LATE, GOOD, "on data-out every 3 omit")
CASE(data_out_unsolicited_omitted_1, 1, UNSOLICITED_ONLY | LATE, GOOD, "on data-out 1 with ttt=0xffffffff omit")
CASE(data_out_omitted_2, 2, ASKED | LATE, GOOD, "on data-out 3 omit")
CASE(data_out_omitted_0, 0, ASKED, FAILS, "on data-out 1 omit")
CASE(data_out_final_omitted_0, 0, ASKED, FAILS, "on data-out 2 omit")
CASE(data_out_damaged_1, 1, DIGESTS | ASKED, GOOD, "on data-out 2 corrupt data-digest")
CASE(data_out_final_damaged_1, 1, DIGESTS | ASKED, GOOD, "on data-out 1 with final=1 corrupt data-digest")
CASE(data_out_damaged_again_1, 1, DIGESTS | ASKED, GOOD, "on data-out 2-6 corrupt data-digest")
CASE(data_out_every_third_damaged_1, 1, DIGESTS | ASKED, GOOD, "on data-out every 3 corrupt data-digest")
CASE(data_out_unsolicited_damaged_1, 1, UNSOLICITED_ONLY | DIGESTS, GOOD, "on data-out 1 with ttt=0xffffffff corrupt data-digest")
CASE(data_out_damaged_shuffled_1, 1, DIGESTS | ASKED | SHUFFLED, GOOD, "on data-out 4 corrupt data-digest")
CASE(data_out_damaged_2, 2, DIGESTS | ASKED, GOOD, "on data-out 2 corrupt data-digest")
CASE(data_out_damaged_0, 0, DIGESTS | ASKED, FAILS, "on data-out 2 corrupt data-digest")
CASE(data_out_damaged_for_ever_1, 1, DIGESTS | ASKED, FAILS, "on data-out corrupt data-digest")

/* --- commands --- */
CASE(command_damaged_1, 1, DIGESTS | IMMEDIATE_ONLY, GOOD, "on scsi-command 1 with write=1 with data-length>0 corrupt data-digest")
CASE(command_busy, 1, 0, FAILS, "on scsi-command 2 answer busy")
CASE(command_task_set_full, 1, 0, FAILS, "on scsi-command 3 answer task-set-full")
CASE(command_check_condition, 1, 0, FAILS, "on scsi-command 1 answer check-condition 6 0x29 0")
CASE(command_reservation_conflict, 1, 0, FAILS, "on scsi-command 1 answer reservation-conflict")
CASE(command_task_aborted, 1, 0, FAILS, "on scsi-command 4 answer task-aborted")
CASE(command_target_failure, 1, 0, FAILS, "on scsi-command 2 respond 1")
CASE(command_rejected, 1, 0, FAILS, "on scsi-command 2 reject 5")
CASE(command_all_busy, 0, 0, FAILS, "on scsi-command answer busy")
CASE(command_sense_short, 1, 0, FAILS, "on scsi-command 1 answer check-condition 3 0x11 0\non scsi-response with status=2 truncate 5")
CASE(command_sense_empty, 1, 0, FAILS, "on scsi-command 1 answer check-condition 3 0x11 0\non scsi-response with status=2 truncate 0")

/* --- numbers that are wrong --- */
CASE(stat_sn_ahead_0, 0, 0, LOST, "on scsi-response 1 set stat-sn +3")
CASE(stat_sn_ahead_1, 1, 0, LOST, "on scsi-response 1 set stat-sn +1000000")
CASE(data_sn_ahead_0, 0, 0, LOST, "on data-in 2 set data-sn +1")
CASE(data_sn_far_ahead_1, 1, 0, FAILS, "on data-in 2 set data-sn +100000")
CASE(data_in_beyond_1, 1, 0, LOST, "on data-in 2 set offset 0x7ffffff0")
CASE(r2t_beyond_1, 1, ASKED, LOST, "on r2t 1 set offset 0x7ffffff0")
CASE(r2t_too_long_1, 1, ASKED, LOST, "on r2t 1 set length 0x01000000")
CASE(r2t_of_nothing_1, 1, ASKED, LOST, "on r2t 1 set length 0")
CASE(window_contradiction, 1, 0, GOOD, "on status set max-cmd-sn -5000")

/* --- connections that end --- */
CASE(reset_in_data_in_0, 0, 0, LOST, "on data-in 5 reset at 900")
CASE(reset_in_data_in_1, 1, 0, LOST, "on data-in 5 reset at 900")
CASE(reset_in_data_in_2, 2, 0, AGAIN, "on data-in 5 reset at 900")
CASE(close_in_data_in_2, 2, 0, AGAIN, "on data-in 5 close at 900")
CASE(reset_at_first_data_in_2, 2, 0, AGAIN, "on data-in 1 reset")
CASE(reset_after_data_in_2, 2, 0, AGAIN, "on data-in 7 reset after")
CASE(reset_at_status_2, 2, 0, AGAIN, "on scsi-response 1 reset")
CASE(reset_in_status_2, 2, 0, AGAIN, "on scsi-response 1 reset at 30")
CASE(reset_after_status_2, 2, 0, AGAIN, "on scsi-response 1 reset after")
CASE(close_at_status_of_read_2, 2, 0, AGAIN, "on data-in 1 with status-present=1 close")
CASE(reset_at_r2t_2, 2, ASKED, AGAIN, "on r2t 2 reset")
CASE(reset_after_r2t_2, 2, ASKED, AGAIN, "on r2t 2 reset after")
CASE(reset_at_data_out_2, 2, ASKED, AGAIN, "on data-out 3 reset")
CASE(reset_at_unsolicited_2, 2, UNSOLICITED_ONLY, AGAIN, "on data-out 1 with ttt=0xffffffff reset")
CASE(reset_at_first_command_2, 2, 0, AGAIN, "on scsi-command 1 reset")
CASE(reset_at_last_command_2, 2, 0, AGAIN, "on scsi-command 6 reset")
CASE(reset_at_data_out_0, 0, ASKED, LOST, "on data-out 3 reset")
CASE(reset_at_command_0, 0, 0, LOST, "on scsi-command 3 reset")
CASE(reset_twice_2, 2, 0, AGAIN, "on data-in 5 reset\non data-in 12 with connection=2 reset")
CASE(reset_shuffled_2, 2, SHUFFLED | ASKED, AGAIN, "on data-in 9 reset at 60")
CASE(reset_digests_2, 2, DIGESTS | ASKED, AGAIN, "on data-out 4 reset")
CASE(reset_one_of_two_2, 2, TWO, AGAIN, "on data-in 1 with connection=1 reset")
CASE(reset_both_of_two_2, 2, TWO, AGAIN, "on data-in 3 with connection=1 reset\non data-in 3 with connection=2 reset")
CASE(reset_one_of_two_0, 0, TWO, LOST, "on data-in 1 with connection=1 reset")
CASE(header_damaged_0, 0, DIGESTS, LOST, "on data-in 2 corrupt header 30")
CASE(header_damaged_2, 2, DIGESTS, AGAIN, "on data-in 2 corrupt header 30")
CASE(header_digest_damaged_2, 2, DIGESTS, AGAIN, "on scsi-response 1 corrupt header-digest")
CASE(silence_2, 2, 0, AGAIN, "on data-in 6 mute")
CASE(silence_0, 0, 0, LOST, "on data-in 6 mute")
CASE(silence_of_one_of_two_2, 2, TWO, AGAIN, "on data-in 4 with connection=2 mute")

/* --- asynchronous messages, pings, windows --- */
CASE(async_logout_2, 2, 0, LOST, "on scsi-response 1 async logout 5")
CASE(async_logout_of_one_of_two_2, 2, TWO, AGAIN, "on status 1 with connection=1 async logout 5")
CASE(async_logout_when_idle_2, 2, 0, AGAIN, "on status 6 async logout 5")
CASE(async_drop_one_of_two_2, 2, TWO, AGAIN, "on status 1 async drop-connection 1 0 10")
CASE(async_drop_session_2, 2, 0, LOST, "on data-in 3 async drop-session 0 0")
CASE(async_drop_connection_2, 2, 0, AGAIN, "on data-in 3 async drop-connection 1 0 10\non data-in 8 close")
CASE(async_scsi, 1, 0, GOOD, "on scsi-command 2 async scsi 6 0x3f 0x0e")
CASE(async_vendor, 1, 0, GOOD, "on scsi-command 2 async vendor 1 2 3")
CASE(async_unknown, 1, 0, GOOD, "on scsi-command 2 async 99")
CASE(pings, 1, 0, GOOD, "on data-in ping")
CASE(window_closes_and_opens, 1, 0, GOOD, "on scsi-command 2 window 0\non time 500 window 4")
CASE(window_of_one_later, 1, 0, GOOD, "on full-feature window 1")
CASE(dribble, 1, DIGESTS, GOOD, "on scsi-command 1 dribble 700 1")

/* --- several things at a time --- */
CASE(everything_damaged_1, 1, DIGESTS | ASKED, GOOD, "on data-in every 4 with again=0 corrupt data\non data-out every 5 corrupt data-digest")
CASE(everything_lossy_1, 1, ASKED | LATE, GOOD, "on data-in every 5 with again=0 omit\non status 2 omit\non r2t 3 omit\non data-out 4 omit")
CASE(lossy_and_cut_2, 2, ASKED | LATE, AGAIN, "on data-in 3 omit\non data-in 9 reset\non status 1 with connection=2 omit")
CASE(one_in_ten_1, 1, DIGESTS | ASKED, GOOD, "on data-in chance 1/10 corrupt data\non data-out chance 1/10 corrupt data-digest")
