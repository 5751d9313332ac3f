package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.data.series.ConformalBands;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The data of a forecaster beside its weights, stored in its folder. {@code series.json} holds how
 * its CSV is read, its columns and their scale, and the frequency; {@code bands.safetensors} its
 * errors.
 *
 * @param data the configuration of the CSV file
 * @param columns the variables, in the model's order
 * @param mean the mean of each column, in the user's units
 * @param deviation the standard deviation of each column
 * @param frequency the time from one row to the next
 * @param season number of rows after which the seasonal baseline repeats
 */
public record SeriesSetup(
    DataConfig data,
    List<String> columns,
    List<Double> mean,
    List<Double> deviation,
    String frequency,
    int season) {
  private static final String FILE = "series.json";
  private static final String BANDS = "bands.safetensors";
  private static final String ERRORS = "errors";

  /** Creates an empty setup, the default of an empty file. */
  public SeriesSetup() {
    this(new SeriesData(), List.of(), List.of(), List.of(), "1h", 24);
  }

  /** Checks that the data are series. */
  public SeriesSetup {
    if (!(data instanceof SeriesData)) {
      throw new IllegalArgumentException("data is of type " + data.type() + ": expected series");
    }
  }

  /**
   * Whether another setup is of the same series. Scales may differ in the digits that float32 does
   * not hold, in which earlier versions read the values.
   */
  boolean isLike(SeriesSetup other) {
    return data.equals(other.data)
        && columns.equals(other.columns)
        && frequency.equals(other.frequency)
        && season == other.season
        && mean.size() == other.mean.size()
        && deviation.size() == other.deviation.size()
        && IntStream.range(0, mean.size()).allMatch(c -> isLike(other, c));
  }

  private boolean isLike(SeriesSetup other, int column) {
    double size = Math.abs(mean.get(column)) + deviation.get(column);
    return Math.abs(mean.get(column) - other.mean.get(column)) <= 1e-6 * size
        && Math.abs(deviation.get(column) - other.deviation.get(column)) <= 1e-6 * size;
  }

  static SeriesSetup of(SeriesData data, Series series, Standardizer scale) {
    return new SeriesSetup(
        data,
        series.names(),
        Arrays.stream(scale.mean()).boxed().toList(),
        Arrays.stream(scale.deviation()).boxed().toList(),
        series.frequency().toString(),
        series.frequency().season());
  }

  /** The scale of the columns. */
  public Standardizer scale() {
    return new Standardizer(
        columns,
        mean.stream().mapToDouble(Double::doubleValue).toArray(),
        deviation.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /**
   * Reads the rows of a file, which must have the columns and the frequency of the training data.
   */
  public Series read(Path file, Progress progress) throws IOException {
    return readFile(file, progress).series();
  }

  /** Like {@link #read}, with how the file writes times. */
  public SeriesCsv.Read readFile(Path file, Progress progress) throws IOException {
    SeriesCsv.Read read = SeriesCsv.read(file, ((SeriesData) data).csv().withColumns(columns));
    read.remarks().forEach(progress::remark);
    if (!read.series().frequency().toString().equals(frequency)) {
      throw new RunException(
          file
              + " has a row every "
              + read.series().frequency()
              + ", but the model was trained on one every "
              + frequency);
    }
    return read;
  }

  void save(Path folder) throws IOException {
    AtomicFile.write(folder.resolve(FILE), Configs.toJson(this).getBytes(StandardCharsets.UTF_8));
  }

  static boolean exists(Path folder) {
    return Files.exists(folder.resolve(FILE));
  }

  /** Reads the setup of the forecaster in a folder. */
  public static SeriesSetup load(Path folder) {
    Path file = folder.resolve(FILE);
    if (!exists(folder)) {
      throw new RunException(folder + " holds no forecaster: expected a " + FILE + " there");
    }
    return Configs.read(file, SeriesSetup.class);
  }

  /**
   * Stores the errors of a model, for bands of any coverage.
   *
   * @param errors [N, P, C], of windows that it was not trained on, in standardised units
   */
  static void saveErrors(Path folder, Tensor errors) throws IOException {
    Tensor sorted = errors.abs().sort(0, false).values().to(DType.FLOAT16);
    SafetensorsFile.write(folder.resolve(BANDS), Map.of(ERRORS, sorted), Map.of());
  }

  /** Computes the bands of a coverage; null if the folder holds no errors. */
  public static ConformalBands bands(Path folder, double coverage) throws IOException {
    Path file = folder.resolve(BANDS);
    if (!Files.exists(file)) {
      return null;
    }
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      return ConformalBands.of(opened.tensor(ERRORS).to(DType.FLOAT32), coverage);
    }
  }
}
