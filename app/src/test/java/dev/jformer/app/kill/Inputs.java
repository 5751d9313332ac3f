package dev.jformer.app.kill;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/** Small data of every kind, the same each time it is made, and recipes that learn from it. */
public final class Inputs {
  private static final List<String> WORDS =
      List.of("red", "blue", "old", "new", "cat", "dog", "house", "runs", "sees", "likes");

  /** Evaluations and checkpoints fall on the same step, or not. */
  private static final String TRAINING =
      "'training': {'steps': 90, 'batch': %d, 'learningRate': 1e-2, 'evaluateEvery': 25,"
          + " 'checkpointEvery': 10, 'schedule': {'shape': 'cosine', 'warmup': 2, 'floor': 0.1},"
          + " 'seed': 3 %s}";

  private static final String BLOCK =
      "'layers': 1, 'width': 16, 'dropout': 0.1, 'mixer': {'type': 'softmax', 'heads': 2}";

  private final Path folder;

  private Inputs(Path folder) {
    this.folder = folder;
  }

  /** Makes the data and recipes in a folder. */
  public static Inputs make(Path folder) throws IOException {
    Inputs made = new Inputs(folder);
    SplittableRandom random = new SplittableRandom(1);
    Files.createDirectories(folder);
    Files.write(made.file("text.txt"), sentences(random, 4000));
    Files.write(made.file("other.txt"), sentences(random, 4000));
    made.labelled(random);
    List<String> source = sentences(random, 120);
    Files.write(made.file("source.txt"), source);
    Files.write(
        made.file("target.txt"),
        source.stream().map(line -> line.replace("cat", "Katze").replace("dog", "Hund")).toList());
    made.images(random);
    made.series();
    made.recipes();
    return made;
  }

  /** A file or folder of data, or a recipe. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  private static List<String> sentences(SplittableRandom random, int count) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      lines.add(sentence(random, 3 + random.nextInt(6)));
    }
    return lines;
  }

  private static String sentence(SplittableRandom random, int words) {
    return random
        .ints(words, 0, WORDS.size())
        .mapToObj(WORDS::get)
        .collect(Collectors.joining(" "));
  }

  private void labelled(SplittableRandom random) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 80; i++) {
      String end = i % 2 == 0 ? " is good\tyes" : " is bad\tno";
      lines.add(sentence(random, 3) + end);
    }
    Files.write(file("labelled.tsv"), lines);
  }

  private void images(SplittableRandom random) throws IOException {
    for (String kind : List.of("bright", "dark")) {
      Path place = Files.createDirectories(file("images").resolve(kind));
      for (int i = 0; i < 40; i++) {
        BufferedImage image = new BufferedImage(10, 8, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 80; p++) {
          int level = (kind.equals("dark") ? 0 : 96) + random.nextInt(160);
          image.setRGB(p % 10, p / 10, level << 16 | level << 8 | level);
        }
        ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
      }
    }
  }

  private void series() throws IOException {
    List<String> lines = new ArrayList<>(List.of("time,a,b"));
    LocalDateTime start = LocalDateTime.of(2024, 1, 1, 0, 0);
    for (int i = 0; i < 300; i++) {
      double day = Math.sin(i * Math.PI / 12);
      lines.add(
          String.format(Locale.ROOT, "%s,%.4f,%.4f", start.plusHours(i), day, day * day - i % 7));
    }
    Files.write(file("series.csv"), lines);
  }

  private void recipes() throws IOException {
    String position = "'model': 'causal-lm', 'length': 24, 'position': {'type': 'rope'}, ";
    String text = "'data': {'type': 'text', 'source': 'HERE/text.txt', ";
    recipe("bytes", position + BLOCK, text + "'tokenizer': 'byte'}", 8, "");
    recipe("bpe", position + BLOCK, text + "'tokenizer': 'bpe', 'vocabulary': 400}", 8, "");
    recipe(
        "learned",
        position.replace("rope", "learned") + BLOCK,
        text + "'tokenizer': 'byte'}",
        8,
        "");
    recipe("average", position + BLOCK, text + "'tokenizer': 'byte'}", 4, ", 'ema': 0.9");
    recipe(
        "masked",
        "'model': 'encoder', 'length': 24, " + BLOCK,
        text + "'tokenizer': 'bpe', 'vocabulary': 300}",
        8,
        "");
    recipe(
        "classify",
        "'model': 'encoder', 'length': 24, " + BLOCK,
        "'data': {'type': 'labelled-text', 'source': 'HERE/labelled.tsv', 'vocabulary': 270,"
            + " 'validation': 0.2}",
        8,
        "");
    recipe(
        "images",
        "'model': 'vit', 'size': 8, 'patch': 4, " + BLOCK,
        "'data': {'type': 'images', 'source': 'HERE/images', 'validation': 0.2}",
        8,
        "");
    recipe(
        "translate",
        "'model': 'encoder-decoder', 'encoderLayers': 1, 'decoderLayers': 1, 'crossHeads': 2,"
            + " 'length': 48, "
            + BLOCK.replace("'layers': 1, ", ""),
        "'data': {'type': 'translation', 'source': 'HERE/source.txt', 'target': 'HERE/target.txt',"
            + " 'vocabulary': 280, 'tokens': 256, 'validation': 0.1, 'select': 'loss'}",
        64,
        "");
    recipe(
        "forecast",
        "'model': 'itransformer', 'lookBack': 24, 'horizon': 6, " + BLOCK,
        "'data': {'type': 'series', 'source': 'HERE/series.csv'}",
        8,
        "");
  }

  private void recipe(String name, String model, String data, int batch, String more)
      throws IOException {
    String json =
        "{'model': {" + model + "}, " + data + ", " + TRAINING.formatted(batch, more) + "}";
    String here = folder.toString().replace('\\', '/');
    Files.writeString(file(name + ".json"), json.replace("HERE", here).replace('\'', '"'));
  }
}
