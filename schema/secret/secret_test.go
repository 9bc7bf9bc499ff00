package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/secret"
)

const canary = "hunter2-canary"

// However a secret is printed, alone or inside of something, its value is not.
func TestSecretsDoNotShow(t *testing.T) {
	s := secret.Secret(canary)
	type holder struct {
		S secret.Secret
		P *secret.Secret
		L []secret.Secret
		M map[string]secret.Secret
		A any
	}
	h := holder{S: s, P: &s, L: []secret.Secret{s}, M: map[string]secret.Secret{"k": s}, A: s}
	var out []string
	for _, verb := range "vsqxXdTtbcoUeEfFgG" {
		for _, flags := range []string{"", "+", "#", "-20", "020.5", " "} {
			format := "%" + flags + string(verb)
			out = append(out, fmt.Sprintf(format, s), fmt.Sprintf(format, h), fmt.Sprintf(format, h.L), fmt.Sprintf(format, h.M))
		}
	}
	out = append(out, s.String(), s.GoString(), fmt.Sprint(s, h), fmt.Errorf("x: %v", s).Error())
	b, err := json.Marshal(map[string]any{"h": h, canaryKey(s): 1})
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, string(b))
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "s", s, "l", []secret.Secret{s}, "g", slog.GroupValue(slog.Any("s", s)))
	}
	out = append(out, log.String())
	for _, text := range out {
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", canary)) {
			t.Errorf("shown: %s", text)
		}
	}
}

func canaryKey(s secret.Secret) string { return s.String() }

func TestReveal(t *testing.T) {
	s := secret.Secret(canary)
	if s.Reveal() != canary || s.Empty() || !secret.Secret("").Empty() {
		t.Error("reveal")
	}
	if !s.Equal(canary) || s.Equal("hunter2-canarx") || s.Equal("") || !secret.Secret("").Equal("") {
		t.Error("equal")
	}
}
