// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers of an NVMe device's virtual functions.
 *
 * They begin without queues and interrupts, and offline. This sends the
 * commands of NVMe's virtualization management to the physical function.
 *
 *   nvme_virtual <device> release		the physical one gives up what is
 *						flexible, with its next reset
 *   nvme_virtual <device> online <n> <queues>	virtual function n gets so many
 *						queues and interrupts
 *
 * The device is the character device, such as /dev/nvme0.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/nvme_ioctl.h>

#define IDENTIFY		0x06
#define IDENTIFY_SECONDARY	0x15
#define VIRT_MGMT		0x1c

#define PRIMARY_ALLOCATE	0x1
#define SECONDARY_ASSIGN	0x8
#define SECONDARY_ONLINE	0x9

#define QUEUES			0
#define INTERRUPTS		1

struct secondary {
	__u16	id;
	__u16	primary;
	__u8	state;
	__u8	reserved1[3];
	__u16	function;
	__u16	queues;
	__u16	interrupts;
	__u8	reserved2[18];
};

struct secondary_list {
	__u8			count;
	__u8			reserved[31];
	struct secondary	entry[127];
};

static struct secondary_list list;

static void send(int fd, struct nvme_admin_cmd *cmd, const char *what)
{
	int status = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);

	if (!status)
		return;
	fprintf(stderr, "nvme_virtual: %s: %s %#x\n", what,
		status < 0 ? strerror(errno) : "status", status);
	exit(1);
}

static void manage(int fd, unsigned int id, unsigned int action,
		   unsigned int resource, unsigned int count, const char *what)
{
	struct nvme_admin_cmd cmd = {
		.opcode = VIRT_MGMT,
		.cdw10 = id << 16 | resource << 8 | action,
		.cdw11 = count,
	};

	send(fd, &cmd, what);
}

static unsigned int secondary_of(int fd, unsigned int function)
{
	struct nvme_admin_cmd cmd = {
		.opcode = IDENTIFY,
		.addr = (uintptr_t)&list,
		.data_len = sizeof(list),
		.cdw10 = IDENTIFY_SECONDARY,
	};
	int i;

	send(fd, &cmd, "list of secondary controllers");
	for (i = 0; i < list.count && i < 127; i++)
		if (list.entry[i].function == function)
			return list.entry[i].id;
	fprintf(stderr, "nvme_virtual: no virtual function %u\n", function);
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned int id, queues;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: nvme_virtual <device> release | online <n> <queues>\n");
		return 1;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	if (!strcmp(argv[2], "release")) {
		manage(fd, 0, PRIMARY_ALLOCATE, QUEUES, 0, "release of queues");
		manage(fd, 0, PRIMARY_ALLOCATE, INTERRUPTS, 0,
		       "release of interrupts");
	} else if (!strcmp(argv[2], "online") && argc == 5) {
		id = secondary_of(fd, atoi(argv[3]));
		queues = atoi(argv[4]);
		manage(fd, id, SECONDARY_ASSIGN, QUEUES, queues, "queues");
		manage(fd, id, SECONDARY_ASSIGN, INTERRUPTS, queues, "interrupts");
		manage(fd, id, SECONDARY_ONLINE, 0, 0, "online");
	} else {
		fprintf(stderr, "nvme_virtual: what is %s?\n", argv[2]);
		return 1;
	}
	return 0;
}
