package outlet

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/engine"
)

const (
	kubeV1    = "client.authentication.k8s.io/v1"
	kubeBeta  = "client.authentication.k8s.io/v1beta1"
	kubeInfo  = "KUBERNETES_EXEC_INFO"
	kubeAsked = "ExecCredential"
)

// kubeVersion is the version of the protocol that the program wants. Whoever
// does not say gets v1.
func kubeVersion(o *Options) (string, error) {
	text, ok := o.LookupEnv(kubeInfo)
	if !ok || text == "" {
		return kubeV1, nil
	}
	var info struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil || info.Kind != kubeAsked {
		return "", errors.New(kubeInfo + " is not an ExecCredential in JSON")
	}
	switch info.APIVersion {
	case kubeV1, kubeBeta:
		return info.APIVersion, nil
	}
	return "", fmt.Errorf("%s wants the version %q: write apiVersion: %s in the kubeconfig", kubeInfo, info.APIVersion, kubeV1)
}

func kubeCheck(o *Options) error {
	_, err := kubeVersion(o)
	return err
}

// kubeText is an ExecCredential. Clients keep the token until it expires, and ask
// again when a server refuses it.
func kubeText(t *engine.Token, o *Options) (string, error) {
	version, err := kubeVersion(o)
	if err != nil {
		return "", err
	}
	s, err := plain(t)
	if err != nil {
		return "", err
	}
	type status struct {
		ExpirationTimestamp string `json:"expirationTimestamp,omitempty"`
		Token               string `json:"token"`
	}
	return asJSON(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Status     status `json:"status"`
	}{version, kubeAsked, status{rfc3339(t.ExpiresAt), s}})
}
