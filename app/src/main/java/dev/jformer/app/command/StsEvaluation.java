package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.text.ScoredPairs;
import dev.jformer.hub.SentenceEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * How well the cosines of embeddings agree with people on how alike texts are: Spearman's
 * correlation times 100, for each file of pairs and their mean, as semantic textual similarity
 * (STS) is measured.
 */
record StsEvaluation(List<Path> files, boolean json, Console console) {
  /**
   * The files of a user's data.
   *
   * @param data a file of pairs, or a folder of files that end in .tsv
   */
  static List<Path> files(Path data) throws IOException {
    if (!Files.isDirectory(data)) {
      return List.of(data);
    }
    try (Stream<Path> all = Files.list(data)) {
      List<Path> found = all.filter(file -> file.toString().endsWith(".tsv")).sorted().toList();
      if (found.isEmpty()) {
        throw new CommandException(data + " holds no .tsv file: expected files of scored pairs");
      }
      return found;
    }
  }

  /** The figure of each file. */
  List<Double> scores(SentenceEncoder encoder) {
    return scores(encoder, files.stream().map(ScoredPairs::read).toList());
  }

  private List<Double> scores(SentenceEncoder encoder, List<ScoredPairs> all) {
    List<Double> scores = new ArrayList<>();
    try (Console.Bar bar = console.bar("embedding", files.size(), "files")) {
      for (ScoredPairs pairs : all) {
        scores.add(100 * encoder.agreement(pairs));
        bar.at(scores.size(), "");
      }
    }
    return scores;
  }

  /** The mean of the figures. */
  static double mean(List<Double> scores) {
    return scores.stream().mapToDouble(s -> s).average().orElseThrow();
  }

  /** The figures, in words or as JSON. */
  String of(SentenceEncoder encoder) {
    List<ScoredPairs> all = files.stream().map(ScoredPairs::read).toList();
    List<Double> scores = scores(encoder, all);
    double mean = mean(scores);
    if (json) {
      ObjectNode node = new JsonMapper().createObjectNode();
      ObjectNode each = node.putObject("files");
      for (int i = 0; i < files.size(); i++) {
        each.put(files.get(i).toString(), scores.get(i));
      }
      return node.put("mean", mean).toString();
    }
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < files.size(); i++) {
      lines.append(
          String.format(
              Locale.ROOT,
              "%s, %,d pairs: Spearman x 100 %.2f%n",
              files.get(i).getFileName(),
              all.get(i).scores().size(),
              scores.get(i)));
    }
    return lines + String.format(Locale.ROOT, "mean %.2f", mean);
  }
}
