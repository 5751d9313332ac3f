package dev.jformer.studies.tokenmixer;

import dev.jformer.data.audio.MelSpectrogram;
import dev.jformer.data.audio.RecordingFeatures;
import dev.jformer.data.audio.RecordingSource;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import javax.sound.sampled.AudioFileFormat;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;

/**
 * Spoken digits: 3,000 recordings by 6 speakers, the Free Spoken Digit Dataset. At smoke scale they
 * are made: a tone for each of three classes.
 */
final class SpokenDigits {
  private static final int RATE = 8000;

  private SpokenDigits() {}

  /** Reads the recordings as log-mel features. */
  static RecordingFeatures read(Scale scale) {
    try {
      if (scale == Scale.SMOKE) {
        return madeUp();
      }
      Path zip = DataSets.require("fsdd/recordings.zip");
      return RecordingFeatures.of(RecordingSource.open(zip), new MelSpectrogram(), done -> {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the spoken digits", e);
    }
  }

  private static RecordingFeatures madeUp() throws IOException {
    try (TemporaryFolder folder = TemporaryFolder.create("digits")) {
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < 60; i++) {
        int label = i % 3;
        byte[] samples = new byte[RATE / 10 + random.nextInt(RATE / 10)];
        for (int t = 0; t < samples.length; t++) {
          double turn = 2 * Math.PI * (400 + 700 * label) * t / RATE;
          samples[t] = (byte) (100 * Math.sin(turn) + random.nextInt(5));
        }
        AudioFormat format = new AudioFormat(RATE, 8, 1, true, false);
        AudioFormat stored =
            new AudioFormat(AudioFormat.Encoding.PCM_UNSIGNED, RATE, 8, 1, 1, RATE, false);
        AudioSystem.write(
            AudioSystem.getAudioInputStream(
                stored,
                new AudioInputStream(new ByteArrayInputStream(samples), format, samples.length)),
            AudioFileFormat.Type.WAVE,
            folder.path().resolve(label + "_nobody_" + i + ".wav").toFile());
      }
      MelSpectrogram settings = new MelSpectrogram().with(m -> m.seconds(0.2).bands(8));
      return RecordingFeatures.of(RecordingSource.open(folder.path()), settings, done -> {});
    }
  }
}
