package dev.jformer.data.audio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.data.FrameSource;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** WAV files, other sampling rates, features beside numpy's, and how recordings are split. */
@ExtendWith(Scoped.class)
class RecordingTest {
  private static String refused(byte[] content) {
    return assertThrows(DataException.class, () -> Recording.decode(content, "a.wav")).getMessage();
  }

  @Test
  void integersOfAllSizesAreRead() {
    assertArrayEquals(
        new float[] {0, 0.5f, -1, 32767 / 32768f},
        Recording.decode(WavBytes.of(8000, 1, 16, 0, 16384, -32768, 32767), "a").samples());
    assertArrayEquals(
        new float[] {0, 0.5f, -1},
        Recording.decode(WavBytes.of(8000, 1, 8, 128, 192, 0), "a").samples());
    assertArrayEquals(
        new float[] {0.25f, -0.5f},
        Recording.decode(WavBytes.of(44100, 1, 24, 1 << 21, -(1 << 22)), "a").samples());
    assertArrayEquals(
        new float[] {0.25f, -0.5f},
        Recording.decode(WavBytes.of(44100, 1, 32, 1 << 29, -(1 << 30)), "a").samples());
    Recording stereo = Recording.decode(WavBytes.of(16000, 2, 16, 16384, 0, -8192, -8192), "a");
    assertArrayEquals(new float[] {0.25f, -0.25f}, stereo.samples());
    assertEquals(16000, stereo.rate());
  }

  @Test
  void damagedFilesAreRefused(@TempDir Path folder) throws IOException {
    byte[] whole = WavBytes.of(8000, 1, 16, new long[500]);
    String cut = refused(Arrays.copyOf(whole, 700));
    assertTrue(cut.contains("cut off") && cut.contains("500") && cut.contains("328"), cut);
    assertTrue(refused(Arrays.copyOf(whole, 44)).contains("cut off"));
    assertTrue(refused(Arrays.copyOf(whole, 20)).contains("a.wav"));
    assertTrue(refused(new byte[0]).contains("expected WAV"));
    assertTrue(
        refused("hello, this is no sound".getBytes(StandardCharsets.UTF_8))
            .contains("expected WAV"));
    assertTrue(refused(WavBytes.of(8000, 1, 16)).contains("no samples"));
    byte[] compressed = whole.clone();
    compressed[20] = 6; // A-law
    assertTrue(refused(compressed).contains("a.wav"), refused(compressed));
    byte[] huge = whole.clone();
    huge[40] = -1;
    huge[41] = -1;
    huge[42] = -1;
    huge[43] = 127; // promises 2 GB of samples
    assertTrue(refused(huge).contains("a.wav"));
    assertTrue(refused(WavBytes.of(3, 1, 16, 1, 2)).contains("sampling rate"));
    // Any byte of the header at any value is read or refused, never anything else.
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 44; i++) {
      for (int value : new int[] {0, 1, 127, 128, 255, random.nextInt(256)}) {
        byte[] damaged = whole.clone();
        damaged[i] = (byte) value;
        try {
          assertTrue(Recording.decode(damaged, "a").samples().length <= 1000);
        } catch (DataException e) {
          assertTrue(e.getMessage().startsWith("a "), e.getMessage());
        }
      }
    }
    Path missing = folder.resolve("none.wav");
    assertTrue(
        assertThrows(DataException.class, () -> Recording.read(missing))
            .getMessage()
            .contains("no such file"));
    assertThrows(DataException.class, () -> Recording.read(folder));
  }

  /** Tones keep their size and phase; those above half of the new rate disappear. */
  @Test
  void otherRatesKeepTones() {
    for (double[] rates : new double[][] {{8000, 16000}, {16000, 8000}, {44100, 8000}}) {
      Recording low = tone(rates[0], 700);
      float[] heard = low.at(rates[1]).samples();
      assertEquals(Math.round(low.samples().length * rates[1] / rates[0]), heard.length);
      for (int i = heard.length / 4; i < 3 * heard.length / 4; i++) {
        assertEquals(Math.sin(2 * Math.PI * 700 * i / rates[1]), heard[i], 5e-3);
      }
    }
    float[] high = tone(16000, 6000).at(8000).samples();
    for (int i = high.length / 4; i < 3 * high.length / 4; i++) {
      assertEquals(0, high[i], 5e-3);
    }
    Recording same = tone(8000, 100);
    assertSame(same, same.at(8000));
  }

  private static Recording tone(double rate, double hertz) {
    float[] samples = new float[(int) (rate / 4)];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (float) Math.sin(2 * Math.PI * hertz * i / rate);
    }
    return new Recording(samples, rate);
  }

  /** The signal of tools/fixtures/make_mel.py. */
  private static Recording signal(double rate, int samples) {
    float[] x = new float[samples];
    long state = 12345;
    for (int i = 0; i < samples; i++) {
      state = (1103515245 * state + 12345) % (1L << 31);
      double t = i / rate;
      double tone = 0.4 * Math.sin(2 * Math.PI * (300 * t + 900 * t * t));
      tone += 0.2 * Math.sin(2 * Math.PI * 1800 * t);
      x[i] = (float) (tone + 0.01 * (state / (double) (1L << 30) - 1));
    }
    return new Recording(x, rate);
  }

  @Test
  void featuresAreThoseOfNumpy() throws IOException {
    for (JsonNode values : new JsonMapper().readTree(getClass().getResourceAsStream("mel.json"))) {
      double rate = values.get("rate").doubleValue();
      int frames = values.get("frames").intValue();
      double hop = values.get("hop").intValue() / rate;
      double window = values.get("window").intValue() / rate;
      MelSpectrogram settings =
          new MelSpectrogram(
              rate,
              (frames - 1) * hop + window,
              window,
              hop,
              values.get("bands").intValue(),
              values.get("low").doubleValue(),
              values.get("high").doubleValue());
      assertEquals(frames, settings.frames());
      float[] found = new MelExtractor(settings).of(signal(rate, values.get("samples").intValue()));
      double mean = 0;
      for (float value : found) {
        mean += value / found.length;
      }
      assertEquals(values.get("mean").doubleValue(), mean, 1e-4);
      for (int i = 0; i < values.get("rows").size(); i++) {
        int row = values.get("rows").get(i).intValue();
        for (int band = 0; band < settings.bands(); band++) {
          assertEquals(
              values.get("values").get(i).get(band).doubleValue(),
              found[row * settings.bands() + band],
              1e-4,
              "band " + band + " of frame " + row);
        }
      }
    }
  }

  @Test
  void refusesFeaturesThatCannotBe() {
    for (String wrong : List.of("rate", "seconds", "window", "hop", "bands", "low", "high")) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              new MelSpectrogram()
                  .with(
                      m -> {
                        switch (wrong) {
                          case "rate" -> m.rate(Double.NaN);
                          case "seconds" -> m.seconds(0.01);
                          case "window" -> m.window(-1);
                          case "hop" -> m.hop(1e-9);
                          case "bands" -> m.bands(0);
                          case "low" -> m.low(4000);
                          default -> m.high(4001);
                        }
                      }),
          wrong);
    }
  }

  private static RecordingFeatures named(Path folder) throws IOException {
    for (int label = 0; label < 2; label++) {
      for (String speaker : List.of("ann", "bob_b", "cy")) {
        for (int index : new int[] {0, 1, 2, 10}) {
          Files.write(
              folder.resolve(label + "_" + speaker + "_" + index + ".wav"),
              WavBytes.of(8000, 1, 16, 100L * label, index, 7));
        }
      }
    }
    MelSpectrogram settings = new MelSpectrogram().with(m -> m.seconds(0.1).bands(4));
    return RecordingFeatures.of(RecordingSource.open(folder), settings, n -> {});
  }

  private static List<String> heldOut(RecordingFeatures all, RecordingSampler.Split split) {
    RecordingSampler sampler =
        new RecordingSampler(all, 0.25, split, new RecordingSampler.Hiding(), 5, 1);
    return Arrays.stream(sampler.heldOutRecordings())
        .mapToObj(i -> all.entries().get(i).name())
        .toList();
  }

  @Test
  void recordingsAreSplitByNames(@TempDir Path folder) throws IOException {
    RecordingFeatures all = named(folder);
    assertEquals(List.of("0", "1"), all.classes());
    List<String> first = heldOut(all, RecordingSampler.Split.AUTO);
    assertEquals(first, heldOut(all, RecordingSampler.Split.INDEX));
    assertEquals(6, first.size());
    assertTrue(first.stream().allMatch(name -> name.endsWith("_0.wav")), first.toString());
    List<String> speaker = heldOut(all, RecordingSampler.Split.SPEAKER);
    assertEquals(8, speaker.size());
    assertTrue(speaker.stream().allMatch(name -> name.contains("_cy_")), speaker.toString());
    assertEquals(6, heldOut(all, RecordingSampler.Split.RANDOM).size());
  }

  @Test
  void batchesHoldWhatWasRead(@TempDir Path folder) throws IOException {
    RecordingFeatures all = named(folder);
    RecordingSampler sampler =
        new RecordingSampler(
            all, 0.25, RecordingSampler.Split.INDEX, new RecordingSampler.Hiding(3, 2), 5, 1);
    assertEquals(18, sampler.training());
    FrameSource.Batch batch = sampler.batch(3);
    assertEquals("[5x8x4]", batch.frames().shape().toString());
    assertTrue(batch.frames().sameAs(sampler.batch(3).frames()), "the same batch again");
    assertEquals(1, all.heard(0)); // three samples
    int[] seen = new int[1];
    sampler.heldOut(
        (frames, labels) -> {
          int[] held = sampler.heldOutRecordings();
          assertTrue(frames.sameAs(all.frames(held)));
          assertTrue(labels.sameAs(all.labels(held)));
          seen[0] += (int) labels.elements();
        });
    assertEquals(6, seen[0]);
    Tensor one = all.frames(0);
    assertEquals("[1x8x4]", one.shape().toString());
  }

  @Test
  void moreThanFitsIntoMemoryIsRefusedBeforeItIsRead(@TempDir Path folder) throws IOException {
    Files.createDirectories(folder.resolve("yes"));
    for (int i = 0; i < 64; i++) {
      Files.write(folder.resolve("yes/" + i + ".wav"), new byte[] {1});
    }
    MelSpectrogram long1000 = new MelSpectrogram().with(m -> m.seconds(1000).bands(1024));
    RecordingSource source = RecordingSource.open(folder);
    DataException refused =
        assertThrows(DataException.class, () -> RecordingFeatures.of(source, long1000, n -> {}));
    assertTrue(refused.getMessage().contains("shorten features.seconds"), refused.getMessage());
  }

  @Test
  void sourcesWithoutClassesAreRefused(@TempDir Path folder) throws IOException {
    assertTrue(refusedSource(folder).contains("holds no recordings"));
    Files.write(folder.resolve("one.wav"), WavBytes.of(8000, 1, 16, 1, 2));
    assertTrue(refusedSource(folder).contains("in no class folder"));
    Files.delete(folder.resolve("one.wav"));
    Files.createDirectories(folder.resolve("yes"));
    Files.write(folder.resolve("yes/1.wav"), WavBytes.of(8000, 1, 16, 1, 2));
    Files.createDirectories(folder.resolve("no"));
    Files.write(folder.resolve("no/1.wav"), WavBytes.of(8000, 1, 16, 1, 2));
    RecordingSource source = RecordingSource.open(folder);
    assertEquals(List.of("no", "yes"), source.classes());
    RecordingFeatures features =
        RecordingFeatures.of(source, new MelSpectrogram().with(m -> m.seconds(0.1)), n -> {});
    var split =
        assertThrows(
            DataException.class,
            () ->
                new RecordingSampler(
                    features,
                    0.5,
                    RecordingSampler.Split.SPEAKER,
                    new RecordingSampler.Hiding(),
                    1,
                    1));
    assertTrue(split.getMessage().contains("label_speaker_index"), split.getMessage());
    Files.write(folder.resolve("no/2.wav"), new byte[30]);
    var damaged =
        assertThrows(
            DataException.class,
            () ->
                RecordingFeatures.of(RecordingSource.open(folder), new MelSpectrogram(), n -> {}));
    assertTrue(damaged.getMessage().contains("2.wav"), damaged.getMessage());
    Files.write(folder.resolve("no/3.mp3"), new byte[30]);
    assertTrue(refusedSource(folder).contains("3.mp3"));
  }

  private static String refusedSource(Path folder) {
    return assertThrows(DataException.class, () -> RecordingSource.open(folder)).getMessage();
  }
}
