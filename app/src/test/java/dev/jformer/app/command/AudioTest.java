package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.refused;
import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import javax.sound.sampled.AudioFileFormat;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classifiers of recordings, and LMUFormer on pixels, as a user gives the commands. */
class AudioTest {
  @TempDir Path folder;

  private static double accuracy(String... args) throws IOException {
    JsonNode result = new JsonMapper().readTree(well(args).out());
    return result.findValue("accuracy").doubleValue();
  }

  private static String[] set(List<String> command, String... fields) {
    List<String> all = new ArrayList<>(command);
    for (String field : fields) {
      all.addAll(List.of("--set", field));
    }
    return all.toArray(String[]::new);
  }

  /** A low or a high tone with noise, some of it at another rate and in stereo. */
  private static byte[] tone(boolean high, SplittableRandom random) throws IOException {
    boolean other = random.nextInt(4) == 0;
    int rate = other ? 16000 : 8000;
    int channels = other ? 2 : 1;
    AudioFormat format = new AudioFormat(rate, 16, channels, true, false);
    int frames = rate / 8 + random.nextInt(rate / 8);
    byte[] bytes = new byte[frames * 2 * channels];
    double hertz = (high ? 1500 : 500) + random.nextDouble() * 300;
    for (int i = 0; i < frames; i++) {
      double value =
          0.3 * Math.sin(2 * Math.PI * hertz * i / rate) + 0.02 * (random.nextDouble() - 0.5);
      int level = (int) (32767 * value);
      for (int c = 0; c < channels; c++) {
        bytes[2 * (i * channels + c)] = (byte) level;
        bytes[2 * (i * channels + c) + 1] = (byte) (level >> 8);
      }
    }
    ByteArrayOutputStream wav = new ByteArrayOutputStream();
    AudioSystem.write(
        new AudioInputStream(new ByteArrayInputStream(bytes), format, frames),
        AudioFileFormat.Type.WAVE,
        wav);
    return wav.toByteArray();
  }

  @Test
  void wordsAreLearnedEvaluatedAndPredicted() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path zip = folder.resolve("tones.zip");
    Path one = folder.resolve("one.wav");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      for (int i = 0; i < 60; i++) {
        boolean high = i % 2 == 1;
        byte[] wav = tone(high, random);
        out.putNextEntry(new ZipEntry("tones/" + (high ? "high" : "low") + "_anna_" + i + ".wav"));
        out.write(wav);
        if (high) {
          Files.write(one, wav);
        }
      }
    }
    for (String model : List.of("lmuformer", "spiking-lmuformer")) {
      Path run = folder.resolve(model);
      well(
          set(
              List.of(
                  "train",
                  "--quiet",
                  "--task",
                  "audio",
                  "--data",
                  zip.toString(),
                  "--out",
                  run.toString(),
                  "--steps",
                  "60"),
              "model.model=" + model,
              "model.width=12",
              "model.convolutions=2",
              "model.expand=1",
              "data.features={seconds: 0.25, bands: 12}",
              "data.validation=0.2",
              "training.batch=16",
              "training.schedule.warmup=5",
              "training.learningRate=0.01",
              "training.evaluateEvery=15"));
      double accuracy = accuracy("eval", run.toString(), "--data", zip.toString(), "--json");
      assertTrue(accuracy > 0.9, model + " tells tones apart: " + accuracy);
      String found = well("predict", run.toString(), one.toString()).out();
      assertTrue(found.contains("high"), found);
      String text = refused("predict", run.toString(), "--text", "hello");
      assertTrue(text.contains("takes no --text"), text);
    }
    Path run = folder.resolve("lmuformer");
    well("train", "--resume", run.toString(), "--steps", "61", "--quiet");
    Path cut = folder.resolve("cut.wav");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(one), 500));
    String damaged = refused("predict", run.toString(), cut.toString());
    assertTrue(damaged.contains("cut off"), damaged);
    String split =
        refused(
            set(
                List.of("train", "--task", "audio", "--data", zip.toString(), "--steps", "1"),
                "data.split=sideways"));
    assertTrue(split.contains("sideways"), split);
  }

  @Test
  void pixelsAreNumbersForModelsOfSequences() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path images = folder.resolve("images");
    for (String kind : List.of("bright", "dark")) {
      Path place = Files.createDirectories(images.resolve(kind));
      for (int i = 0; i < 30; i++) {
        BufferedImage image = new BufferedImage(6, 6, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 36; p++) {
          int level = (kind.equals("dark") ? 0 : 96) + random.nextInt(160);
          image.setRGB(p % 6, p / 6, level << 16 | level << 8 | level);
        }
        ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
      }
    }
    for (String model :
        List.of(
            "{model: lmuformer, width: 8, convolutions: 2}",
            "{model: sequence-encoder, width: 8, layers: 1}")) {
      Path run = folder.resolve("run" + model.length());
      well(
          set(
              List.of(
                  "train",
                  "--quiet",
                  "--task",
                  "pixels",
                  "--data",
                  images.toString(),
                  "--out",
                  run.toString(),
                  "--steps",
                  "40"),
              "model=" + model,
              "data.side=6",
              "data.levels=8",
              "data.validation=0.2",
              "training.learningRate=0.01",
              "training.schedule.warmup=5",
              "training.batch=16"));
      double accuracy = accuracy("eval", run.toString(), "--data", images.toString(), "--json");
      assertTrue(accuracy > 0.9, model + " tells bright from dark: " + accuracy);
      String dark = images.resolve("dark/3.png").toString();
      assertTrue(well("predict", run.toString(), dark).out().contains("dark"));
    }
  }
}
