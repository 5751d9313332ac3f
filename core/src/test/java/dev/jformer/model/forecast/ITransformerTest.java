package dev.jformer.model.forecast;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ITransformerTest {
  private static final Path FIXTURE =
      Path.of("src/test/resources/dev/jformer/model/forecast/forecasters.safetensors");

  private static final Map<String, String> SMALL =
      Map.of(
          "inverted",
          "{'model':'inverted-forecaster','variates':3,'calendar':2,'lookBack':12,'horizon':5,"
              + "'width':8,'mixer':{'heads':2},'ffn':{'expand':2}}",
          "sequence",
          "{'model':'sequence-forecaster','variates':3,'calendar':2,'lookBack':12,'horizon':5,"
              + "'label':4,'width':8,'mixer':{'type':'softmax','heads':2},'crossHeads':2,"
              + "'ffn':{'expand':2}}",
          "linear",
          "{'model':'linear-forecaster','variates':3,'calendar':2,'lookBack':12,'horizon':5,"
              + "'average':5}");

  @TempDir Path folder;

  private static ForecastModel model(String json) {
    return (ForecastModel) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
  }

  private static ForecastModel small(String kind) {
    return model(SMALL.get(kind));
  }

  private record Input(Tensor past, Tensor pastCalendar, Tensor futureCalendar) {
    static Input draw(int batch, int variates) {
      return new Input(
          Tensor.randn(batch, 12, variates), Tensor.rand(batch, 12, 2), Tensor.rand(batch, 5, 2));
    }

    Tensor to(ForecastModel model) {
      return model.forecast(past, pastCalendar, futureCalendar);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"inverted", "sequence"})
  void forecastsAndGradientsAreThoseOfTheAuthorsCode(String kind) throws IOException {
    ForecastModel model = small(kind);
    model.train(false);
    try (SafetensorsFile file = SafetensorsFile.open(FIXTURE)) {
      TreeSet<String> unused = new TreeSet<>(file.names());
      unused.removeIf(name -> !name.startsWith(kind + ".weight."));
      model
          .parameters()
          .forEach(
              (name, p) -> {
                unused.remove(kind + ".weight." + name);
                p.replace(file.tensor(kind + ".weight." + name).copy());
              });
      assertTrue(unused.isEmpty(), unused + " have no place");
      Tensor past = file.tensor(kind + ".past").copy().requiresGrad(true);
      Tensor forecast =
          model.forecast(
              past, file.tensor(kind + ".pastCalendar"), file.tensor(kind + ".futureCalendar"));
      // Position tables hold float32.
      assertClose(file.tensor(kind + ".forecast").toDoubles(), forecast, 1e-6, "forecast");
      forecast.mul(file.tensor(kind + ".direction")).sum().backward();
      assertClose(file.tensor(kind + ".grad.past").toDoubles(), past.grad(), 1e-5, "gradient");
    }
  }

  @Test
  void theLinearForecasterIsItsDefinition() {
    ForecastModel model = small("linear");
    for (Parameter p : model.parameters().values()) {
      p.replace(Tensor.randn(p.value().shape().toArray()).to(DType.FLOAT64));
    }
    Input input = Input.draw(1, 2);
    double[] x = input.past().select(2, 1).toDoubles();
    double[] smooth = new double[12];
    for (int t = 0; t < 12; t++) {
      for (int s = t - 2; s <= t + 2; s++) {
        smooth[t] += x[Math.max(0, Math.min(11, s))] / 5;
      }
    }
    double[] expected = new double[5];
    Map<String, Parameter> weights = model.parameters();
    for (int step = 0; step < 5; step++) {
      expected[step] =
          weights.get("trend.bias").value().select(0, step).item()
              + weights.get("rest.bias").value().select(0, step).item();
      for (int t = 0; t < 12; t++) {
        expected[step] +=
            weights.get("trend.weight").value().select(0, step).select(0, t).item() * smooth[t]
                + weights.get("rest.weight").value().select(0, step).select(0, t).item()
                    * (x[t] - smooth[t]);
      }
    }
    Tensor past = input.past().to(DType.FLOAT64);
    Tensor forecast = model.forecast(past, input.pastCalendar(), input.futureCalendar());
    assertClose(expected, forecast.select(2, 1).squeeze(0), 1e-9);
  }

  @Test
  void aNewLinearForecasterForecastsTheMean() {
    Input input = Input.draw(2, 3);
    Tensor forecast = input.to(small("linear")).detach();
    assertClose(input.past().mean(1, true).expand(2, 5, 3).contiguous(), forecast, 1e-5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"inverted", "linear"})
  void variablesHaveNoOrderAndMayBeOthers(String kind) {
    ForecastModel model = small(kind);
    model.train(false);
    assertTrue(model.takesOtherVariates());
    Input input = Input.draw(2, 5); // made for three
    Tensor order = Tensor.of(new long[] {3, 0, 4, 1, 2});
    Input moved =
        new Input(input.past().indexSelect(2, order), input.pastCalendar(), input.futureCalendar());
    assertClose(input.to(model).indexSelect(2, order).detach(), moved.to(model).detach(), 1e-5);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aWindowsScaleAndLevelAreTheForecasts(boolean inverted) {
    ForecastModel model =
        inverted
            ? small("inverted")
            : model(SMALL.get("sequence").replace("'label'", "'instanceNorm':true,'label'"));
    model.train(false);
    Input input = Input.draw(2, 3);
    Tensor factor = Tensor.of(new double[] {3, 0.5, 20}).to(DType.FLOAT32);
    Tensor level = Tensor.of(new double[] {-7, 100, 0}).to(DType.FLOAT32);
    Input other =
        new Input(
            input.past().mul(factor).add(level), input.pastCalendar(), input.futureCalendar());
    assertClose(input.to(model).mul(factor).add(level).detach(), other.to(model).detach(), 1e-3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"flow", "linear", "prob-sparse", "softmax"})
  void anyMixerFitsEveryTransformer(String mixer) {
    for (String kind : new String[] {"inverted", "sequence"}) {
      String heads = "'mixer':{'type':'" + mixer + "','heads':2}";
      String json = SMALL.get(kind).replaceAll("'mixer':\\{[^}]*}", heads);
      ForecastModel model = model(json);
      Input input = Input.draw(2, 3);
      Tensor future = Tensor.randn(2, 5, 3);
      model.loss(input.past(), input.pastCalendar(), input.futureCalendar(), future).backward();
      model
          .parameters()
          .forEach(
              (name, p) -> {
                if (p.isTrainable()) {
                  assertTrue(p.value().grad() != null, mixer + ": no gradient of " + name);
                  assertTrue(p.value().grad().isFinite().all(), mixer + ": gradient of " + name);
                }
              });
    }
  }

  @Test
  void aFirstStepAloneIsTheFirstStepOfAll() {
    // With one row to forecast both ways of decoding are the same.
    Informer model = (Informer) model(SMALL.get("sequence").replace("'horizon':5", "'horizon':1"));
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor past = Tensor.randn(2, 12, 3);
      Tensor days = Tensor.rand(2, 12, 2);
      Tensor next = Tensor.rand(2, 1, 2);
      assertClose(
          model.forecast(past, days, next), model.forecastStepByStep(past, days, next), 1e-6);
    }
    Informer longer = (Informer) small("sequence");
    longer.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Input input = Input.draw(2, 3);
      Tensor steps =
          longer.forecastStepByStep(input.past(), input.pastCalendar(), input.futureCalendar());
      assertEquals(input.to(longer).shape(), steps.shape());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"inverted", "sequence", "linear"})
  void areTheSameWhenSavedAndLoaded(String kind) throws IOException {
    ForecastModel model = small(kind);
    Input input = Input.draw(4, 3);
    // Running averages move, and are saved.
    model.forecast(input.past(), input.pastCalendar(), input.futureCalendar());
    model.train(false);
    Models.save(model, folder);
    try (ForecastModel again = (ForecastModel) Models.load(folder)) {
      assertEquals(model.config(), again.config());
      assertTrue(input.to(model).sameAs(input.to(again)));
    }
  }

  @Test
  void batchesAreNormalisedInTrainingAndByRunningAveragesAfterIt() {
    ForecastModel model = small("sequence");
    Input input = Input.draw(8, 3);
    Random.seed(3);
    Tensor before = model.parameters().get("distilling.0.norm.mean").value().copy();
    input.to(model);
    Tensor after = model.parameters().get("distilling.0.norm.mean").value();
    assertFalse(before.sameAs(after), "training moves the running mean");
    model.train(false);
    Tensor kept = after.copy();
    Tensor alone =
        new Input(
                input.past().narrow(0, 0, 1),
                input.pastCalendar().narrow(0, 0, 1),
                input.futureCalendar().narrow(0, 0, 1))
            .to(model);
    assertClose(input.to(model).narrow(0, 0, 1).detach(), alone.detach(), 1e-5);
    assertTrue(kept.sameAs(after), "use does not");
  }

  @Test
  void refusesWhatDoesNotFit() {
    ForecastModel model = small("sequence");
    Tensor days = Tensor.rand(2, 12, 2);
    Tensor next = Tensor.rand(2, 5, 2);
    assertMessage(
        "past is [2x11x3]: expected [batch x 12 x 3]",
        () -> model.forecast(Tensor.randn(2, 11, 3), days, next));
    assertMessage(
        "past is [2x12x4]: expected [batch x 12 x 3]",
        () -> model.forecast(Tensor.randn(2, 12, 4), days, next));
    assertMessage(
        "futureCalendar is [2x12x2]: expected [batch x 5 x 2]",
        () -> model.forecast(Tensor.randn(2, 12, 3), days, days));
    assertMessage("label is 13: expected at most lookBack = 12", () -> changed("'label':4", 13));
    assertMessage("heads is 3: expected a divisor", () -> changed("'heads':2", 3));
    assertMessage("horizon is 0: expected at least 1", () -> changed("'horizon':5", 0));
    assertMessage("calendar is -1: expected", () -> changed("'calendar':2", -1));
    assertMessage(
        "average is 4: expected an odd number",
        () -> model(SMALL.get("linear").replace("'average':5", "'average':4")));
  }

  private static ForecastModel changed(String field, int value) {
    String name = field.substring(0, field.indexOf(':'));
    return model(SMALL.get("sequence").replace(field, name + ":" + value));
  }

  private static void assertMessage(
      String expected, org.junit.jupiter.api.function.Executable action) {
    String message = assertThrows(RuntimeException.class, action).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
