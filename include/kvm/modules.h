/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine, part by part, in the order it is made; it is taken down in
 * reverse. X(name) stands for `const struct kvm_module name_module`. Adding a
 * device is one file and one line here.
 */
X(vm)		/* /dev/kvm, the VM, its interrupt chips and RAM */
X(signals)	/* before anything that starts a thread */
X(sandbox)	/* before what is to be confined */
X(status)	/* what the record is told while the VM runs */
X(console_log)	/* --console-log */
X(results)	/* --results */
X(gates)	/* before every console */
X(control)	/* --name; early, as a name may be taken */
X(term)		/* the host's ends of the consoles */
X(command)	/* -- COMMAND, or a shell: before the virtio console and the kernel */
X(guest_log)	/* before the consoles, which tell it what they show */
X(evidence)	/* what vCPUs were doing at a bad end; --symbols */
X(last_look)	/* and what the guest says to that */
X(hang)		/* --hang */
X(serial)	/* ports 0x3f8, 0x2f8, 0x3e8, 0x2e8 */
X(i8042)	/* ports 0x60, 0x64 */
X(rtc)		/* ports 0x70, 0x71 */
X(debug_exit)	/* port 0xf4 */
X(pvpanic)	/* port 0x505 */
X(power)	/* ports 0x600 to 0x602: sleep and reset */
X(pci)		/* ports 0xcf8 to 0xcff, ECAM, and the windows of the devices */
X(virtio_blk)	/* disks */
X(virtio_9p)	/* shared directories */
X(virtio_console)	/* --console virtio, and named ports */
X(virtio_rng)	/* --rng */
X(virtio_balloon) /* --balloon */
X(pci_ecam)	/* the configuration space of all PCI devices, now that they are there */
X(cpu)		/* the vCPUs, not yet running */
X(halt_watch)	/* whether all of them have halted for good */
X(kernel)	/* into RAM; last, because its tables describe all of the above */
