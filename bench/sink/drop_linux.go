package main

import (
	"net"
	"syscall"
	"unsafe"
)

// dropper lets the kernel throw bytes away (MSG_TRUNC, see tcp(7)): a server that copies them would take from the
// tools the processor it shares with them.
func dropper(tcp *net.TCPConn) func(n int) (int, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var wanted, dropped int
	var failure error
	// The kernel writes nothing here; it only wants an address.
	place := new([bufferSize]byte)
	receive := func(fd uintptr) bool {
		for {
			n, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(place)), uintptr(wanted), syscall.MSG_TRUNC, 0, 0)
			switch errno {
			case 0:
				dropped, failure = int(n), nil
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return false
			default:
				dropped, failure = 0, errno
			}
			return true
		}
	}
	return func(n int) (int, error) {
		wanted = min(n, bufferSize)
		if err := raw.Read(receive); err != nil {
			return 0, err
		}
		return dropped, failure
	}
}
