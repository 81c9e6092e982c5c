/*
 * A library that is loaded before a tool: the nth write of the process takes half of what it was given. With SHORT_FULL
 * the disk is full from then on, as it is when a last block was had. The file SHORT_DONE says that there was such a write.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int told;

/* How much of a write is done; none where the disk is full. */
static ssize_t taken(int file, size_t length)
{
	static long count;
	const char *at = getenv("SHORT_AT");
	struct stat is;

	if (at == NULL || strncmp(program_invocation_short_name, "gate-", 5) != 0)
		return (ssize_t)length;
	if (told && getenv("SHORT_FULL") != NULL && fstat(file, &is) == 0 && S_ISREG(is.st_mode))
		return -1;
	if (told || length < 2 || ++count != atol(at))
		return (ssize_t)length;
	told = 1;
	close(open(getenv("SHORT_DONE"), O_CREAT | O_WRONLY, 0600));
	return (ssize_t)(length / 2);
}

#define SHORTENED(name, parameters, arguments) \
	ssize_t name parameters \
	{ \
		ssize_t (*real) parameters = dlsym(RTLD_NEXT, #name); \
		ssize_t part = taken(file, length); \
		if (part < 0) { \
			errno = ENOSPC; \
			return -1; \
		} \
		length = (size_t)part; \
		return real arguments; \
	}

SHORTENED(write, (int file, const void *bytes, size_t length), (file, bytes, length))
SHORTENED(pwrite, (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at))
SHORTENED(pwrite64, (int file, const void *bytes, size_t length, off64_t at), (file, bytes, length, at))
