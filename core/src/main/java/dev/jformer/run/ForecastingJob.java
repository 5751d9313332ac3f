package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.Windows;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Forecasting;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The job of forecasting: a model learns to continue the series of a CSV file. */
@AutoService(Job.class)
public record ForecastingJob() implements Job {
  @Override
  public String type() {
    return "forecasting";
  }

  @Override
  public Class<SeriesData> data() {
    return SeriesData.class;
  }

  @Override
  public Class<ForecastModel.Config> model() {
    return ForecastModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    if (!recipe.from().isEmpty()) {
      throw new RunException(
          "--from is for models of text and images: leave it out to train a forecaster");
    }
    SeriesData data = (SeriesData) recipe.data();
    Progress progress = workspace.progress();
    SeriesCsv.Read read = SeriesCsv.read(Path.of(data.source()), data.csv());
    read.remarks().forEach(progress::remark);
    Series series = read.series();
    ForecastModel.Config config = (ForecastModel.Config) recipe.model();
    Split split =
        data.split(series.rows()).check(series.rows(), config.lookBack(), config.horizon());
    List<String> constant = series.slice(0, split.train()).constant();
    if (!constant.isEmpty()) {
      progress.remark("constant where the model learns: " + String.join(", ", constant));
    }
    Data made = new Data(data, series, split, workspace);
    Path folder = workspace.folder();
    if (workspace.isResumed()
        && SeriesSetup.exists(folder)
        && !SeriesSetup.load(folder).isLike(made.setup)) {
      made.close();
      throw new RunException(
          data.source()
              + " is not the file that the run in "
              + folder
              + " began with: restore the old file, or start again with --overwrite");
    }
    made.setup.save(folder);
    return made;
  }

  /** Prepares a series in memory; values are standardised by the training rows. */
  public static PreparedData of(Series series, Split split) {
    return new Data(new SeriesData(), series, split, null);
  }

  private static final class Data implements PreparedData {
    private final Series series;
    private final Split split;
    private final Workspace workspace;
    private final SeriesSetup setup;
    private final Tensor values;
    private final Tensor calendar;

    Data(SeriesData data, Series series, Split split, Workspace workspace) {
      this.series = series;
      this.split = split;
      this.workspace = workspace;
      try (Scope scope = Scope.open()) {
        Standardizer scale = Standardizer.of(series.slice(0, split.train()));
        this.setup = SeriesSetup.of(data, series, scale);
        this.values = scale.apply(series).keep();
        this.calendar = Calendar.of(series, 0, series.rows()).keep();
      }
    }

    @Override
    public Job job() {
      return new ForecastingJob();
    }

    @Override
    public ForecastModel.Config fit(Model.Config config) {
      return ((ForecastModel.Config) config)
          .sized(series.columns(), Calendar.features(series.frequency()));
    }

    private Windows windows(ForecastModel.Config config, int from, int to) {
      return new Windows(values, calendar, from, to, config.lookBack(), config.horizon());
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      ForecastModel forecaster = (ForecastModel) model;
      ForecastModel.Config config = forecaster.config();
      return new Forecasting(
          forecaster,
          windows(config, 0, split.train()),
          windows(config, split.validationFrom(), split.testFrom()),
          recipe.training().batch(),
          recipe.training().seed());
    }

    @Override
    public String fingerprint() {
      return Fingerprint.of(Arrays.toString(values.toFloats()).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          setup.data().source(),
          "rows",
          split.train(),
          split.validation(),
          String.format(Locale.ROOT, "%,d to test, %s", split.test(), series));
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      setup.save(folder);
    }

    /**
     * Stores the best model's errors on validation rows for prediction bands, and measures it on
     * test rows, beside a linear model and forecasts without training.
     */
    @Override
    public Map<String, Metrics> test(Path folder) throws IOException {
      ForecastComparison test =
          new ForecastComparison(
              config -> windows(config, 0, split.train()),
              config -> windows(config, split.validationFrom(), split.testFrom()),
              config -> windows(config, split.testFrom(), split.end()));
      return test.run(folder, setup.season(), series.columns(), split.test() > 0);
    }

    @Override
    public void close() {
      values.close();
      calendar.close();
      if (workspace != null) {
        workspace.close();
      }
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof ForecastModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (ForecastModel) model);
  }

  private static final class Use extends TrainedModel {
    private final ForecastModel model;

    Use(Path folder, ForecastModel model) {
      super(new ForecastingJob(), folder, model, null);
      this.model = model;
    }

    /** Measures mean errors over all windows of a file, in standardised units. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      SeriesSetup setup = SeriesSetup.load(folder());
      Path file = request.only();
      Series series = setup.read(file, progress);
      ForecastModel.Config config = model.config();
      try (Scope scope = Scope.open()) {
        Windows windows =
            new Windows(
                setup.scale().apply(series),
                Calendar.of(series, 0, series.rows()),
                0,
                series.rows(),
                config.lookBack(),
                config.horizon());
        return EvaluationResult.of(
            file.toString(),
            windows.count(),
            "windows",
            Forecasting.errors(model, windows).metrics());
      }
    }
  }
}
