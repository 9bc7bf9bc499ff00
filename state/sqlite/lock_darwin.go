package sqlite

// ofdSetLock is F_OFD_SETLK of bsd/sys/fcntl.h in Apple's xnu; x/sys does not have it.
const ofdSetLock = 90
