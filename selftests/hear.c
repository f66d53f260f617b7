// SPDX-License-Identifier: GPL-2.0
/*
 * Print what comes by UDP, until this is killed:
 *
 *   hear <port>
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	char text[2048];
	ssize_t len;
	int fd;

	if (argc != 2) {
		fputs("usage: hear <port>\n", stderr);
		return 2;
	}
	any.sin_port = htons(atoi(argv[1]));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		err(1, "port %s", argv[1]);
	while ((len = recv(fd, text, sizeof(text), 0)) >= 0)
		if (write(1, text, len) != len)
			err(1, "write");
	err(1, "recv");
}
