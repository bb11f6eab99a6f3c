# Pure rooms: every *_core.[ch], common/lang, common/engine. They get values and the time
# and return a verdict. Complains about calls that ask or change the world, about the
# headers of such calls, and about state that outlives a call.

BEGIN {
	calls("access accept accept4 bind chdir chmod close closedir connect creat dup dup2 " \
	      "dup3 fchmod fchown fclose fdopen fflush fgetc fgets fopen fprintf fputc fputs " \
	      "fread freopen fscanf fseek fstat fsync ftruncate fwrite getaddrinfo getc " \
	      "getchar getdelim getline getsockopt ioctl link listen lseek lstat mkdir " \
	      "mkdtemp mkostemp mkstemp mmap open openat opendir perror pipe pipe2 poll " \
	      "ppoll pread printf pselect putc putchar puts pwrite pwritev read readdir " \
	      "readlink readv realpath recv recvfrom recvmsg remove rename rmdir scandir " \
	      "scanf select send sendmsg sendto setsockopt shutdown socket socketpair stat " \
	      "symlink syslog tmpfile truncate umask unlink unlinkat vfprintf vprintf write " \
	      "writev epoll_create1 epoll_ctl epoll_wait eventfd inotify_init1 timerfd_create")
	calls("clock clock_gettime ctime ctime_r ftime gettimeofday localtime localtime_r " \
	      "mktime nanosleep sleep time tzset usleep") # gmtime_r and timegm are arithmetic
	calls("alarm atexit clone execl execlp execv execve execvp exit _exit fork getpid " \
	      "getppid getrusage kill popen prctl pthread_create pthread_mutex_lock raise " \
	      "setrlimit sigaction signal sigprocmask system vfork wait waitpid")
	calls("clearenv getenv putenv secure_getenv setenv setlocale unsetenv")
	calls("arc4random digest_random drand48 getentropy getrandom rand rand_r random " \
	      "srand uuid7_new")
	calls("log_at log_debug log_error log_info log_open log_set_level log_warn log_write")
	calls("POINT POINT_OF point_visit point_visit_of") # nothing can be lost in a core

	split("dirent.h fcntl.h netdb.h poll.h pthread.h sched.h signal.h spawn.h " \
	      "sys/epoll.h sys/file.h sys/inotify.h sys/ioctl.h sys/mman.h sys/prctl.h " \
	      "sys/random.h sys/resource.h sys/select.h sys/stat.h sys/time.h sys/timerfd.h " \
	      "sys/uio.h sys/un.h sys/wait.h syslog.h termios.h unistd.h", list, " ")
	for (i in list)
		header[list[i]] = 1
}

function calls(text,    list, i)
{
	split(text, list, " ")
	for (i in list)
		forbidden[list[i]] = 1
}

# Each name before "(" that is no member: x.open(), x->read() are tables of functions.
function check_calls(text,    name, before)
{
	while (match(text, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
		name = substr(text, RSTART, RLENGTH - 1)
		before = RSTART > 1 ? substr(text, RSTART - 1, 1) : ""
		sub(/[ \t]+$/, "", name)
		if (name in forbidden && before != "." && before != ">")
			complain("a pure room may not call " name "()")
		text = substr(text, RSTART + RLENGTH)
	}
}

function check_header(text)
{
	if (text !~ /^[ \t]*#[ \t]*include[ \t]*</)
		return
	sub(/^[^<]*</, "", text)
	sub(/>.*/, "", text)
	if (text in header)
		complain("a pure room may not include <" text ">")
}

# "static int calls;" at any depth; constants and functions are welcome.
function check_state(text)
{
	if (text !~ /^[ \t]*(static|_Thread_local|thread_local)[ \t]/)
		return
	if (text ~ /[ \t*]const[ \t*]/ || text ~ /[ \t](inline|_Noreturn)[ \t]/)
		return
	if (text ~ /^[ \t]*static [a-z_]+_fn [a-z]/) # declares functions by their type
		return
	if (text ~ /^[^(]*[=;]/)
		complain("a pure room may not keep state between calls")
}

{
	text = code($0)
	check_header($0)
	check_calls(text)
	check_state(text)
}
