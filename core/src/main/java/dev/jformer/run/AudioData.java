package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.audio.MelSpectrogram;
import dev.jformer.data.audio.RecordingSampler;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of labelled recordings, such as spoken words.
 *
 * @param source a folder or zip file of WAV files, in a folder for each class or named {@code
 *     label_speaker_index.wav}
 * @param validation share that is held out
 * @param split which recordings are held out
 * @param features what a model reads of a recording
 * @param hiding the frames and bands that are hidden in training
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record AudioData(
    String source,
    double validation,
    RecordingSampler.Split split,
    MelSpectrogram features,
    RecordingSampler.Hiding hiding)
    implements DataConfig, AudioDataBuilder.With {
  /** Defaults: a tenth held out, features of one second. */
  public AudioData() {
    this("", 0.1, RecordingSampler.Split.AUTO, new MelSpectrogram(), new RecordingSampler.Hiding());
  }

  /** Checks the values. */
  public AudioData {
    Checks.part("validation", validation);
    Checks.notNull("split", split);
    Checks.notNull("features", features);
    Checks.notNull("hiding", hiding);
  }

  @Override
  public String type() {
    return "audio";
  }

  @Override
  public AudioData withSource(String source) {
    return AudioDataBuilder.With.super.withSource(source);
  }
}
