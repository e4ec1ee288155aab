package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake in the configuration is shown with the lines around it; what is secret in them is not: it would stand in a log.
func TestConfigurationErrorsShowNoSecret(t *testing.T) {
	t.Setenv("CAM_PASSWORD", "hunter2hunter2")
	for _, text := range []string{
		"id: home\ndoors:\n  - name: front\n    cameras:\n      - name: hall\n        url: rtsp://cam:${CAM_PASSWORD}@192.0.2.7/live\n        lnik: wired\n",
		"id: home\ndoors:\n  - name: front\n    cameras:\n      - name: hall\n        url: rtsp://cam:hunter2hunter2@192.0.2.7/live\n        lnik: wired\n",
		"id: home\nepoch: ${CAM_PASSWORD}\n",
		"id: home\ndoors:\n  - name: front\n    lock:\n      mqtt:\n        password: hunter2hunter2\n        brokr: x\n",
	} {
		path := filepath.Join(t.TempDir(), "hub.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var cfg HubConfig
		err := load(path, &cfg)
		if err == nil {
			t.Fatalf("taken: %q", text)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
		if !strings.Contains(err.Error(), "[") || !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not say where: %v", err)
		}
	}
}

// A configuration that is a link has its secrets beside the file that it stands for, where a set-up writes them; those beside the link come
// first. A pipe in the file's place holds nobody up.
func TestSecretsBesideALink(t *testing.T) {
	real, linked := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(real, "home.yaml"): "id: ${HUB_NAME}\nstate: ${HUB_STATE}\n", filepath.Join(real, "home.env"): "HUB_NAME=far\nHUB_STATE=s\n", filepath.Join(linked, "hub.env"): "HUB_NAME=near\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(linked, "hub.yaml")
	if err := os.Symlink(filepath.Join(real, "home.yaml"), link); err != nil {
		t.Skip(err)
	}
	var cfg HubConfig
	if err := load(link, &cfg); err != nil || cfg.ID != "near" || cfg.State != "s" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if err := os.Remove(filepath.Join(linked, "hub.env")); err != nil {
		t.Fatal(err)
	}
	if err := load(link, &cfg); err != nil || cfg.ID != "far" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if err := fifo(filepath.Join(linked, "hub.env")); err != nil {
		t.Skip(err)
	}
	if err := load(link, &cfg); err == nil || !strings.Contains(err.Error(), "NAME=value") {
		t.Errorf("a pipe was read: %v", err)
	}
}
