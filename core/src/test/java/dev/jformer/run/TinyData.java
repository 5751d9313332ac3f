package dev.jformer.run;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/**
 * Small data of every kind, the same on every machine, and recipes that learn from it in seconds.
 */
final class TinyData {
  private static final List<String> WORDS =
      List.of("red", "blue", "old", "new", "cat", "dog", "house", "runs", "sees", "likes");

  private final Path folder;

  /** Makes the data where it is not there yet. */
  TinyData(Path folder) {
    this.folder = folder;
    if (!Files.exists(folder.resolve("series.csv"))) {
      try {
        make();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void make() throws IOException {
    Files.createDirectories(folder);
    SplittableRandom random = new SplittableRandom(1);
    Files.write(folder.resolve("text.txt"), sentences(random, 400));
    labelled(random);
    tagged();
    List<String> source = sentences(random, 120);
    Files.write(folder.resolve("source.txt"), source);
    Files.write(
        folder.resolve("target.txt"),
        source.stream().map(line -> line.replace("cat", "Katze").replace("dog", "Hund")).toList());
    images(random);
    series();
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
      boolean good = i % 2 == 0;
      lines.add(
          sentence(random, 3)
              + (good ? " is good " : " is bad ")
              + sentence(random, 2)
              + "\t"
              + (good ? "yes" : "no"));
    }
    Files.write(folder.resolve("labelled.tsv"), lines);
  }

  /** Sentences in which a colour before an animal is a name, and places are names. */
  private void tagged() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      for (String word : sentence(random, 2 + random.nextInt(6)).split(" ")) {
        boolean name = word.equals("cat") || word.equals("dog");
        if (name && random.nextBoolean()) {
          lines.add("mister\tB-pet\n" + word + "\tI-pet");
        } else {
          lines.add(word + "\t" + (name ? "B-pet" : word.equals("house") ? "B-place" : "O"));
        }
      }
      lines.add("");
    }
    Files.write(folder.resolve("tagged.conll"), lines);
  }

  private void images(SplittableRandom random) throws IOException {
    for (String kind : List.of("bright", "dark")) {
      Path place = Files.createDirectories(folder.resolve("images").resolve(kind));
      for (int i = 0; i < 20; i++) {
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
      lines.add(
          String.format(
              Locale.ROOT,
              "%s,%.4f,%.4f",
              start.plusHours(i),
              Math.sin(i * Math.PI / 12) + 0.1 * (i * 7 % 11),
              Math.cos(i * Math.PI / 6) + 0.05 * (i * 5 % 13)));
    }
    Files.write(folder.resolve("series.csv"), lines);
  }

  /** The recipe of a kind, in JSON, with quotes as apostrophes. */
  String json(String kind) {
    String head = TRAINING.formatted(kind.startsWith("translate") ? 64 : 8);
    String text =
        switch (kind) {
          case "language" -> LANGUAGE + head;
          case "consistency" ->
              LANGUAGE + head + ", 'objective': {'type': 'consistency', 'alpha': 2}";
          case "masked" -> MASKED + head;
          case "classify" -> CLASSIFY + head;
          case "tokens" -> TOKENS + head;
          case "images" -> IMAGES + head;
          case "diffusion" -> DIFFUSION + head;
          case "unet" -> UNET + head;
          case "inpainting" ->
              INPAINTING + head + ", 'pretraining': {'objective': {'type': 'codes'}}";
          case "translate" -> TRANSLATE + head;
          case "translate-loss" -> TRANSLATE.replace("'bleu'", "'loss'") + head;
          case "forecast" -> FORECAST + head;
          default -> throw new IllegalArgumentException("no recipe of kind " + kind);
        };
    return "{"
        + text.replace("FOLDER", folder.toString().replace('\\', '/')).replace('\'', '"')
        + "}";
  }

  /** The same beginning with the model in a folder. */
  String json(String kind, Path from) {
    String json = json(kind);
    return json.substring(0, json.length() - 1)
        + ", \"from\": \""
        + from.toString().replace('\\', '/')
        + "\"}";
  }

  /** All kinds of recipes. */
  static List<String> kinds() {
    return List.of(
        "language",
        "consistency",
        "masked",
        "classify",
        "images",
        "translate",
        "translate-loss",
        "forecast");
  }

  private static final String TRAINING =
      """
      'training': {'steps': 12, 'batch': %d, 'learningRate': 1e-2, 'evaluateEvery': 4,
        'checkpointEvery': 4, 'schedule': {'shape': 'cosine', 'warmup': 2, 'floor': 0.1}, 'seed': 3}
      """;

  private static final String LANGUAGE =
      """
      'model': {'model': 'causal-lm', 'layers': 1, 'width': 16, 'length': 24, 'dropout': 0.1,
        'position': {'type': 'rope'}, 'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'text', 'source': 'FOLDER/text.txt', 'tokenizer': 'bpe', 'vocabulary': 280},
      """;

  private static final String MASKED =
      """
      'model': {'model': 'encoder', 'layers': 1, 'width': 16, 'length': 24, 'dropout': 0.1,
        'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'text', 'source': 'FOLDER/text.txt', 'tokenizer': 'bpe', 'vocabulary': 280},
      """;

  private static final String CLASSIFY =
      """
      'model': {'model': 'encoder', 'layers': 1, 'width': 16, 'length': 24, 'dropout': 0.1,
        'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'labelled-text', 'source': 'FOLDER/labelled.tsv', 'vocabulary': 270,
        'validation': 0.2},
      """;

  private static final String TOKENS =
      """
      'model': {'model': 'encoder', 'layers': 1, 'width': 16, 'length': 24, 'dropout': 0.1,
        'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'tagged-text', 'source': 'FOLDER/tagged.conll', 'vocabulary': 280,
        'validation': 0.2},
      """;

  private static final String IMAGES =
      """
      'model': {'model': 'vit', 'size': 8, 'patch': 4, 'layers': 1, 'width': 16, 'dropout': 0.1,
        'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'images', 'source': 'FOLDER/images', 'validation': 0.2, 'smoothing': 0.1},
      """;

  private static final String DIFFUSION =
      """
      'model': {'model': 'dit', 'size': 8, 'channels': 1, 'patch': 2, 'layers': 3, 'width': 16,
        'headDim': 8, 'patchMixer': {'layers': 2}, 'experts': {'count': 4},
        'masking': {'place': 'deferred', 'share': 0.5, 'finish': 0.2}},
      'data': {'type': 'images', 'source': 'FOLDER/images', 'validation': 0.2,
        'augmentation': {'flip': false}},
      """;

  private static final String UNET =
      """
      'model': {'model': 'unet', 'size': 8, 'channels': 1, 'widths': [8, 8], 'conditionWidth': 16,
        'groups': 4, 'headDim': 8},
      'data': {'type': 'images', 'source': 'FOLDER/images', 'validation': 0.2,
        'augmentation': {'flip': false}},
      """;

  private static final String INPAINTING =
      """
      'model': {'model': 'put', 'size': 8, 'channels': 1, 'patch': 2, 'layers': 1, 'width': 16,
        'mixer': {'type': 'softmax', 'heads': 2}, 'dropout': 0.1,
        'codec': {'codes': 12, 'hiddenCodes': 6, 'codeWidth': 8, 'encoderWidth': 16,
          'encoderBlocks': 1, 'decoderWidth': 16, 'decoderBlocks': 1}},
      'data': {'type': 'masked-images', 'source': 'FOLDER/images', 'validation': 0.2,
        'augmentation': {'flip': true, 'shift': 0}},
      """;

  private static final String TRANSLATE =
      """
      'model': {'model': 'encoder-decoder', 'encoderLayers': 1, 'decoderLayers': 1, 'width': 16,
        'length': 48, 'dropout': 0.1, 'mixer': {'type': 'softmax', 'heads': 2}, 'crossHeads': 2},
      'data': {'type': 'translation', 'source': 'FOLDER/source.txt', 'target': 'FOLDER/target.txt',
        'vocabulary': 280, 'tokens': 256, 'validation': 0.1, 'select': 'bleu'},
      """;

  private static final String FORECAST =
      """
      'model': {'model': 'itransformer', 'lookBack': 24, 'horizon': 6, 'layers': 1, 'width': 16,
        'dropout': 0.1, 'mixer': {'type': 'softmax', 'heads': 2}},
      'data': {'type': 'series', 'source': 'FOLDER/series.csv'},
      """;
}
