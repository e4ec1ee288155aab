package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyType = "EYEBOLT ED25519 SEED"

// key reads the Ed25519 key in a file, or makes one. The file holds the seed in PEM, mode 0600.
func key(path string) (ed25519.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != keyType || len(block.Bytes) != ed25519.SeedSize {
		return nil, fmt.Errorf("key %s: not an Eyebolt key: restore it from your backup; a new one would make the record's signatures unknown", path)
	}
	return ed25519.NewKeyFromSeed(block.Bytes), nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: keyType, Bytes: seed})
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// private makes a folder that its owner alone may read, and closes one that was open to others: databases in it are made with
// the modes of the process, and one of them holds the carriers' keys. A folder that everybody shares is refused, not closed.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	switch mode := info.Mode(); {
	case !info.IsDir():
		return fmt.Errorf("state folder: %s is a file: name a folder", dir)
	case mode&os.ModeSticky != 0:
		return fmt.Errorf("state folder: %s is shared with everybody: name a folder of its own", dir)
	case mode.Perm()&0o077 != 0:
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("state folder: others may read it and it cannot be closed: %w", err)
		}
	}
	return nil
}
