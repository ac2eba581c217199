"""The system calls that the filter knows, with their numbers on x86_64 and on aarch64.

Each entry is name:x86_64:aarch64, with "-" where a processor lacks the call. A test compares the numbers with
those of libseccomp. Names are explained in the manual's section 2.
"""

from __future__ import annotations

MACHINES = ("x86_64", "aarch64")
"""In the order of the numbers."""

Numbers = dict[str, tuple[int | None, ...]]


def _table(entries: str) -> Numbers:
    rows = (entry.split(":") for entry in entries.split())
    return {name: tuple(None if each == "-" else int(each) for each in numbers) for name, *numbers in rows}


ALLOWED = _table("""
    futex:202:98 read:0:63 write:1:64 mmap:9:222 munmap:11:215 mprotect:10:226 mremap:25:216
    madvise:28:233 brk:12:214 readv:19:65 writev:20:66 pread64:17:67 close:3:57 fstat:5:80 lseek:8:62
    dup:32:23 poll:7:- ppoll:271:73 select:23:- pselect6:270:72 sched_yield:24:124
    sched_getaffinity:204:123 sched_setaffinity:203:122 sched_getparam:143:121
    sched_getscheduler:145:120 getcpu:309:168 get_mempolicy:239:236 membarrier:324:283 rseq:334:293
    set_robust_list:273:99 get_robust_list:274:100 set_tid_address:218:96 futex_waitv:449:449
    rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 sigaltstack:131:132
    restart_syscall:219:128 getpid:39:172 gettid:186:178 getppid:110:173 getuid:102:174 geteuid:107:175
    getgid:104:176 getegid:108:177 clock_gettime:228:113 clock_getres:229:114 clock_nanosleep:230:115
    nanosleep:35:101 gettimeofday:96:169 time:201:- setitimer:38:103 getitimer:36:102 getrusage:98:165
    times:100:153 sysinfo:99:179 uname:63:160 getrandom:318:278 arch_prctl:158:- exit:60:93
    exit_group:231:94
""")
"""What a worker needs to compute, to wait and to speak over its open pipes."""

CHECKED = _table("""
    clone:56:220 clone3:435:435 kill:62:129 tgkill:234:131 fcntl:72:25 ioctl:16:29 prctl:157:167
    prlimit64:302:261 openat:257:56 open:2:-
""")
"""What depends on an argument: see `inference.sandbox.seccomp`."""

LOOKING = _table("""
    newfstatat:262:79 stat:4:- lstat:6:- statx:332:291 access:21:- faccessat:269:48 faccessat2:439:439
    readlink:89:- readlinkat:267:78 getcwd:79:17 statfs:137:43
""")
"""Looking at paths: libraries try it late and take a refusal well."""

WRITING = _table("""
    creat:85:- truncate:76:45 mkdir:83:- mkdirat:258:34 rmdir:84:- unlink:87:- unlinkat:263:35
    rename:82:- renameat:264:38 renameat2:316:276 link:86:- linkat:265:37 symlink:88:- symlinkat:266:36
    mknod:133:- mknodat:259:33 chmod:90:- fchmod:91:52 fchmodat:268:53 chown:92:- fchown:93:55
    lchown:94:- fchownat:260:54 setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7 utimensat:280:88
""")
"""Changing files, folders and what belongs to them."""

NETWORK = _table("""
    socket:41:198 socketpair:53:199 connect:42:203 bind:49:200 listen:50:201 accept:43:202
    accept4:288:242 sendto:44:206 sendmsg:46:211 sendmmsg:307:269 recvfrom:45:207 recvmsg:47:212
    recvmmsg:299:243 shutdown:48:210
""")
"""Sockets of every family."""

NEVER = _table("""
    execve:59:221 execveat:322:281 fork:57:- vfork:58:- tkill:200:130 rt_sigqueueinfo:129:138
    rt_tgsigqueueinfo:297:240 pidfd_open:434:434 pidfd_send_signal:424:424 pidfd_getfd:438:438
    ptrace:101:117 process_vm_readv:310:270 process_vm_writev:311:271 process_madvise:440:440
    kcmp:312:272 io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427 io_setup:206:0
    keyctl:250:219 add_key:248:217 request_key:249:218 bpf:321:280 perf_event_open:298:241
    userfaultfd:323:282 seccomp:317:277 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51
    move_mount:429:429 open_tree:428:428 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433
    mount_setattr:442:442 unshare:272:97 setns:308:268 name_to_handle_at:303:264
    open_by_handle_at:304:265 setuid:105:146 setgid:106:144 setreuid:113:145 setregid:114:143
    setresuid:117:147 setresgid:119:149 setgroups:116:159 setfsuid:122:151 setfsgid:123:152
    capset:126:91 personality:135:92 setsid:112:157 setpgid:109:154 reboot:169:142 init_module:175:105
    finit_module:313:273 delete_module:176:106 kexec_load:246:104 kexec_file_load:320:294 swapon:167:224
    swapoff:168:225 syslog:103:116 acct:163:89 quotactl:179:60 settimeofday:164:170
    clock_settime:227:112 adjtimex:159:171 clock_adjtime:305:266 sethostname:170:161
    setdomainname:171:162 ioperm:173:- iopl:172:- modify_ldt:154:- fanotify_init:300:262
""")
"""Starting programs, touching other processes, and the kernel's own affairs."""
