package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Argument;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.FunctionSchema;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/**
 * A libtorch operator called by its schema name. This reaches kernels that the binding lacks, such
 * as {@code aten::_fused_adamw_}, {@code aten::_int_mm} or {@code mkldnn::_linear_pointwise}.
 *
 * <pre>{@code
 * static final Operator INT_MM = Operator.named("aten::_int_mm");
 * Tensor product = INT_MM.call(a, b);
 * }</pre>
 *
 * <p>Arguments are given by position, in the order of the schema: {@link Tensor}, {@code null} for
 * an absent optional, {@link Number}, {@link Boolean}, {@link String}, {@link DType}, and a {@link
 * List} or {@code long[]} or {@code double[]} of these where the schema says so. Trailing arguments
 * with a default may be left out.
 */
public final class Operator {
  private final String name;
  private final OperatorHandle handle;
  private final FunctionSchema schema;
  private final Argument arguments;
  private final int arity;

  private Operator(String name, OperatorHandle handle) {
    this.name = name;
    this.handle = handle;
    this.schema = handle.schema();
    this.arguments = schema.arguments();
    this.arity = Math.toIntExact(arguments.limit());
    handle.retainReference();
    schema.retainReference();
    arguments.retainReference();
  }

  /**
   * Finds an operator.
   *
   * @param name {@code namespace::name} or {@code namespace::name.overload}
   * @throws TensorException if this build of libtorch has no such operator
   */
  public static Operator named(String name) {
    Engine.start();
    int space = name.indexOf("::");
    int dot = name.indexOf('.', Math.max(space, 0));
    String base = dot < 0 ? name : name.substring(0, dot);
    String overload = dot < 0 ? "" : name.substring(dot + 1);
    try (Scope scope = Scope.open()) {
      return new Operator(
          name, Native.get(name, () -> Dispatcher.singleton().findSchemaOrThrow(base, overload)));
    }
  }

  /** The schema, for example {@code aten::_int_mm(Tensor self, Tensor mat2) -> Tensor}. */
  public String schema() {
    return torch.toString(schema).getString();
  }

  /** Calls the operator and returns its first, or only, tensor; null if it returns none. */
  public Tensor call(Object... values) {
    List<Tensor> results = callAll(values);
    return results.isEmpty() ? null : results.get(0);
  }

  /**
   * Calls the operator and returns all tensors among its results, those of lists in order; null
   * where one is undefined.
   */
  public List<Tensor> callAll(Object... values) {
    if (values.length > arity) {
      throw new TensorException(
          name + " takes " + arity + " arguments, got " + values.length + ": " + schema());
    }
    IValueVector stack = new IValueVector();
    Native.run(
        name,
        () -> {
          for (int i = 0; i < arity; i++) {
            stack.push_back(i < values.length ? argument(i, values[i]) : defaultOf(i));
          }
          handle.callBoxed(stack);
        },
        tensorsIn(Arrays.asList(values)));
    List<Tensor> results = new ArrayList<>();
    for (long i = 0; i < stack.size(); i++) {
      IValue result = stack.get(i);
      if (result.isTensor()) {
        results.add(Native.ownOrNull(result.toTensor()));
      } else if (result.isTensorList()) {
        results.addAll(Native.list(result.toTensorVector()));
      }
    }
    stack.close();
    return results;
  }

  /**
   * Calls an operator that takes only tensors, for its effect. It skips the lookup of argument
   * types, which takes longer than a small product.
   */
  void run(org.bytedeco.pytorch.Tensor... operands) {
    IValueVector stack = new IValueVector();
    for (org.bytedeco.pytorch.Tensor operand : operands) {
      stack.push_back(new IValue(operand));
    }
    handle.callBoxed(stack);
    stack.close();
  }

  /**
   * Calls an operator with arguments that are already converted, and returns one tensor that the
   * caller owns.
   *
   * @param first the first argument
   * @param others those after it
   */
  org.bytedeco.pytorch.Tensor invoke(org.bytedeco.pytorch.Tensor first, List<IValue> others) {
    IValueVector stack = new IValueVector();
    stack.push_back(new IValue(first));
    others.forEach(stack::push_back);
    handle.callBoxed(stack);
    return new org.bytedeco.pytorch.Tensor(stack.get(0).toTensor());
  }

  /** The element type of an argument that is a list. */
  Type.TypePtr elementType(int argument) {
    return arguments.getPointer(argument).real_type().get().containedType(0);
  }

  private IValue argument(int index, Object value) {
    try {
      return convert(value, arguments.getPointer(index).real_type().get());
    } catch (ClassCastException | IllegalArgumentException e) {
      throw new TensorException(
          name
              + ": argument "
              + arguments.getPointer(index).name().getString()
              + " cannot be "
              + value
              + ": "
              + schema(),
          e);
    }
  }

  private IValue defaultOf(int index) {
    Argument argument = arguments.getPointer(index);
    if (!argument.default_value().has_value()) {
      throw new TensorException(
          name + " lacks argument " + argument.name().getString() + ": " + schema());
    }
    return argument.default_value().get();
  }

  private IValue convert(Object value, Type type) {
    if (value == null) {
      return new IValue();
    }
    String kind = type.kind().intern().name();
    if (kind.equals("OptionalType")) {
      return convert(value, type.containedType(0).get());
    }
    if (kind.equals("ListType")) {
      Type element = type.containedType(0).get();
      GenericList list = new GenericList(type.containedType(0));
      for (Object item : asList(value)) {
        list.push_back(convert(item, element));
      }
      return new IValue(list);
    }
    if (value instanceof Tensor tensor) {
      return new IValue(tensor.torch());
    }
    if (value instanceof Boolean flag) {
      return new IValue((boolean) flag);
    }
    if (value instanceof String text) {
      return new IValue(text);
    }
    if (value instanceof DType dtype) {
      return new IValue((long) dtype.scalarType().value);
    }
    Number number = (Number) value;
    boolean real = number instanceof Double || number instanceof Float;
    if (real && (kind.equals("IntType") || kind.equals("SymIntType"))) {
      throw new IllegalArgumentException(number + " where an integer is expected");
    }
    return kind.equals("FloatType") || real
        ? new IValue(number.doubleValue())
        : new IValue(number.longValue());
  }

  private static List<?> asList(Object value) {
    if (value instanceof long[] longs) {
      return Arrays.stream(longs).boxed().toList();
    }
    if (value instanceof double[] doubles) {
      return Arrays.stream(doubles).boxed().toList();
    }
    return (List<?>) value;
  }

  /** The tensors among the arguments, those in lists too, for error messages. */
  private static Tensor[] tensorsIn(List<?> values) {
    return values.stream()
        .flatMap(value -> value instanceof List<?> list ? list.stream() : Stream.of(value))
        .filter(value -> value instanceof Tensor)
        .toArray(Tensor[]::new);
  }

  /** The schema. */
  @Override
  public String toString() {
    return schema();
  }
}
