package agent

import (
	"context"
	"net"
	"time"
)

// Notify tells a service manager how the process is (sd_notify(3)): state is
// "READY=1" or "STOPPING=1", and socket what NOTIFY_SOCKET says, "" for nobody.
func Notify(ctx context.Context, socket, state string) error {
	if socket == "" {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
