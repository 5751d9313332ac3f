package dev.jformer.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
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

  private final BufferedWriter writer;

  /**
   * Opens a new file, or an existing one to append to.
   *
   * @param fromStep lines of later steps are dropped: a resumed run writes them again
   */
  public MetricsFile(Path file, long fromStep) throws IOException {
    if (Files.exists(file)) {
      keepUpTo(file, fromStep);
    }
    this.writer =
        Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private static void keepUpTo(Path file, long step) throws IOException {
    List<String> kept = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      try {
        JsonNode node = JSON.readTree(line);
        if (node.path("step").asLong(Long.MAX_VALUE) <= step) {
          kept.add(line);
        }
      } catch (IOException e) {
        break; // the last line of a killed run may be half a line
      }
    }
    Path beside = file.resolveSibling(file.getFileName() + ".tmp");
    Files.write(beside, kept);
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
    write(line, false);
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
    write(line, true);
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

  private void write(ObjectNode line, boolean flush) {
    try {
      writer.write(line.toString());
      writer.write('\n');
      if (flush) {
        writer.flush();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write metrics", e);
    }
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
