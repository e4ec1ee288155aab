package matter_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// room is where the peer lives: this test program runs once more in a network and a mount namespace of its own, in which the Matter
// server and the house each have one end of a cable. Matter finds its devices by multicast, of which nothing may get out; matter.js
// does not use loopback; and the server keeps a folder /data, which the machine need not have.

const roomEnv = "EYEBOLT_MATTER_ROOM" // the folder of the room

// enterRoom runs all tests in a room and gives their exit code, or says why not. false: this is the room, or none is needed.
func enterRoom() (code int, elsewhere bool, err error) {
	if os.Getenv(roomEnv) != "" {
		out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("loopback: %w: %s", err, out)
		}
		return 0, false, err
	}
	if !installed() || slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.fuzz") }) {
		return 0, false, nil
	}
	dir, err := os.MkdirTemp("", "eyebolt-matter-")
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the mounts below it were the room's
	runtime.LockOSThread()                   // Pdeathsig is of the thread
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), roomEnv+"="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Geteuid(); uid != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := c.Start(); err != nil {
		return 0, false, fmt.Errorf("no namespaces for the Matter server here (root, or user namespaces, are needed): %w", err)
	}
	var exit *exec.ExitError
	switch err := c.Wait(); {
	case err == nil:
		return 0, true, nil
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), true, nil
	default:
		return 1, true, err
	}
}

// The ends of the cable.
const (
	serverEnd = "10.77.0.1/24"
	houseEnd  = "10.77.0.2/24"
)

// furnish lays the cable and makes a root folder with a /data of its own, in the room's folder.
func furnish() (dir, root string, keeper *exec.Cmd, err error) {
	dir = os.Getenv(roomEnv)
	if dir == "" {
		return "", "", nil, errNoRoom
	}
	keeper = exec.Command("cat") // holds the house's namespace while the house has no power
	keeper.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if _, err := keeper.StdinPipe(); err != nil {
		return "", "", nil, err
	}
	if err := keeper.Start(); err != nil {
		return "", "", nil, err
	}
	there := fmt.Sprintf("nsenter -t %d -n ", keeper.Process.Pid)
	for _, line := range []string{
		"ip link add va type veth peer name vb",
		fmt.Sprintf("ip link set vb netns %d", keeper.Process.Pid),
		"ip addr add " + serverEnd + " dev va",
		"ip link set va up",
		"ip route add 224.0.0.0/4 dev va",
		there + "ip link set lo up",
		there + "ip addr add " + houseEnd + " dev vb",
		there + "ip link set vb up",
		there + "ip route add 224.0.0.0/4 dev vb",
	} {
		args := strings.Fields(line)
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", "", nil, fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	root, err = bindRoot(filepath.Join(dir, "root"))
	return dir, root, keeper, err
}

func bindRoot(root string) (string, error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("private mounts: %w", err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", err
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return "", err
	}
	if err := syscall.Mount("none", root, "tmpfs", 0, "size=16m"); err != nil {
		return "", fmt.Errorf("a root for the Matter server: %w", err)
	}
	for _, e := range entries {
		from, to := "/"+e.Name(), filepath.Join(root, e.Name())
		switch {
		case e.Name() == "data":
		case e.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(from)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return "", err
			}
		case e.IsDir():
			if err := os.Mkdir(to, 0o755); err != nil {
				return "", err
			}
			if err := syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
				return "", fmt.Errorf("%s: %w", from, err)
			}
		}
	}
	return root, os.Mkdir(filepath.Join(root, "data"), 0o755)
}

// inRoot makes a command run with that root.
func inRoot(c *exec.Cmd, root string) { c.SysProcAttr = &syscall.SysProcAttr{Chroot: root} }

// Signals that freeze a program, as a radio that is jammed does a device, and wake it.
const (
	stop = syscall.SIGSTOP
	goOn = syscall.SIGCONT
)
