package sqlite

// F_OFD_SETLK and F_OFD_GETLK of bsd/sys/fcntl.h in Apple's xnu; x/sys does not have them.
const (
	ofdSetLock = 90
	ofdGetLock = 92
)
