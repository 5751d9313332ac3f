package dev.jformer.app.command;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Standard output that fails when it cannot be written, for example to a full disk or a closed
 * pipe. A {@link PrintStream} alone ignores such errors, so that a command would compute on and end
 * as if all were well.
 */
public final class CheckedOutput extends OutputStream {
  private final OutputStream to;

  CheckedOutput(OutputStream to) {
    this.to = to;
  }

  /** Makes {@link System#out} a checked output. */
  public static void install() {
    OutputStream out = new CheckedOutput(new FileOutputStream(FileDescriptor.out));
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
  }

  @Override
  public void write(int value) {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    try {
      to.write(bytes, offset, length);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public void flush() {
    try {
      to.flush();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** An error that {@link PrintStream} does not catch. */
  private static UncheckedIOException failure(IOException cause) {
    return new UncheckedIOException("cannot write the output", cause);
  }
}
