"""Runs a program in a terminal of its own. Prints the leader's pid, then what the program shows. A line on stdin is what is done: `type TEXT`, `close`."""
import os, pty, select, signal, sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
os.write(1, b'%d\n' % pid)
is_open = True
while True:
    ready, _, _ = select.select([0, terminal] if is_open else [0], [], [])
    if terminal in ready and is_open:
        try:
            os.write(1, os.read(terminal, 4096))
        except OSError:
            is_open = False
    if 0 in ready:
        line = os.read(0, 4096).decode()
        if line == '':
            break
        if line.startswith('type ') and is_open:
            os.write(terminal, line[5:].rstrip('\n').encode().decode('unicode_escape').encode())
        if line.startswith('close') and is_open:
            os.close(terminal)
            is_open = False
