package backendtest_test

import (
	"testing"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

func TestMemory(t *testing.T) {
	backendtest.Run(t,
		func(*testing.T) state.Backend { return backendtest.NewMemory() },
		func(_ *testing.T, b state.Backend) state.Backend { return b })
}
