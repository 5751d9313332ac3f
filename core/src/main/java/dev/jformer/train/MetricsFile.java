package dev.jformer.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * Writes the events of a training to {@code metrics.jsonl}, one JSON object per line. The key of a
 * metric of an evaluation is {@code validation} and its name; that of the best value of the primary
 * metric is {@code bestValidation} and its name: {@code validationLoss}, {@code
 * bestValidationBleu}.
 */
public final class MetricsFile implements Listener, AutoCloseable {
  /** The prefix of the keys of best values. */
  public static final String BEST = "bestValidation";

  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final FileChannel channel;
  private final StringBuilder pending = new StringBuilder();

  /**
   * Opens a new file, or an existing one to append to.
   *
   * @param fromStep lines of later steps are dropped: a resumed run writes them again
   */
  public MetricsFile(Path file, long fromStep) throws IOException {
    this.file = file;
    if (Files.exists(file)) { // a run that begins anew may evaluate before its first step, again
      keepUpTo(file, fromStep == 0 ? -1 : fromStep);
    }
    this.channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    AtomicFile.flushDirectory(file.toAbsolutePath().getParent());
  }

  private static void keepUpTo(Path file, long step) throws IOException {
    StringBuilder kept = new StringBuilder();
    for (String line : Files.readAllLines(file)) {
      try {
        JsonNode node = JSON.readTree(line);
        if (node.path("step").asLong(Long.MAX_VALUE) <= step) {
          kept.append(line).append('\n');
        }
      } catch (IOException e) {
        break; // the last line of a killed run may be half a line
      }
    }
    AtomicFile.write(file, kept.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void step(Step step) {
    ObjectNode line = JSON.createObjectNode();
    line.put("step", step.step());
    line.put("loss", step.loss());
    line.put("learningRate", step.learningRate());
    line.put("gradientNorm", step.gradientNorm());
    line.put("unitsPerSecond", Math.round(step.unitsPerSecond()));
    line.put("seconds", Math.round(step.seconds() * 1000) / 1000.0);
    step.figures().forEach(line::put);
    pending.append(line).append('\n');
  }

  @Override
  public void evaluation(Evaluation evaluation) {
    ObjectNode line = JSON.createObjectNode();
    line.put("step", evaluation.step());
    Metrics metrics = evaluation.metrics();
    boolean isLoss = metrics.loss() == evaluation.value();
    putLoss(line, "validationLoss", metrics.loss());
    putLoss(line, "bestValidationLoss", isLoss ? evaluation.best() : Double.NaN);
    metrics.all().forEach(metric -> line.put(key("validation", metric), metric.value()));
    line.put(key(BEST, metrics.primary()), evaluation.best());
    line.put("seconds", Math.round(evaluation.seconds() * 1000) / 1000.0);
    pending.append(line).append('\n');
    write();
  }

  /** Forces all lines to the disk. */
  @Override
  public void checkpoint(long step) {
    write();
    try {
      channel.force(true);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private static void putLoss(ObjectNode line, String key, double loss) {
    if (!Double.isNaN(loss)) {
      line.put(key, loss);
    }
  }

  /** Builds a key, for example {@code validationLoss}. */
  private static String key(String prefix, Metric metric) {
    return prefix
        + metric.name().substring(0, 1).toUpperCase(Locale.ROOT)
        + metric.name().substring(1);
  }

  private void write() {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(pending.toString());
    pending.setLength(0);
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private UncheckedIOException failed(IOException e) {
    return new UncheckedIOException("cannot write " + file, e);
  }

  @Override
  public void close() throws IOException {
    try {
      write();
    } finally {
      channel.close();
    }
  }
}
