package dev.jformer.app.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A workload in another process, kept waiting between its turns: it prints one JSON line per turn
 * and goes on when it is sent a line.
 */
final class PeerProcess implements Workload {
  private static final JsonMapper JSON = new JsonMapper();

  private final String name;
  private final String field;
  private final Process process;
  private final BufferedReader output;
  private final Writer input;
  private boolean started;

  /**
   * Starts the process.
   *
   * @param field the field of the JSON line that holds the milliseconds
   */
  PeerProcess(String name, String field, List<String> command, Map<String, String> environment) {
    this.name = name;
    this.field = field;
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    try {
      this.process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + command.get(0), e);
    }
    this.output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    this.input = process.outputWriter(StandardCharsets.UTF_8);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double run() {
    try {
      if (started) {
        input.write("go\n");
        input.flush();
      }
      started = true;
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (line.startsWith("{")) {
          JsonNode value = JSON.readTree(line).path(field);
          if (!value.isNumber()) {
            throw new IllegalStateException(name + " printed no " + field + ": " + line);
          }
          return value.asDouble();
        }
      }
      throw new IllegalStateException(
          name + " ended without a result, exit status " + process.waitFor());
    } catch (IOException e) {
      throw new UncheckedIOException(name + " ended early", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      input.close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
