package dev.jformer.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Reads configuration records from JSON and writes them; the package's description gives the rules.
 */
public final class Configs {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Configs() {}

  /**
   * Reads a configuration from a JSON file.
   *
   * @param kind a record, or the interface of a kind of part
   * @throws ConfigException if the file cannot be read or does not hold such a configuration
   */
  public static <C> C read(Path file, Class<C> kind) {
    try {
      return parse(RegularFile.text(file), kind);
    } catch (IOException e) {
      throw new ConfigException("cannot read the configuration " + file + ": " + e, e);
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  /** Reads a configuration from JSON text; see {@link #read}. */
  public static <C> C parse(String json, Class<C> kind) {
    return bind(tree(json), kind);
  }

  /**
   * Parses JSON text without interpreting it.
   *
   * @throws ConfigException if it is not JSON, or names a field twice
   */
  public static JsonNode tree(String json) {
    try {
      JsonNode node = JSON.readTree(json);
      if (node == null || node.isMissingNode()) {
        throw new ConfigException("the configuration is empty: expected a JSON object");
      }
      return node;
    } catch (JsonProcessingException | StackOverflowError e) {
      String detail =
          e instanceof JsonProcessingException j
              ? place(j) + j.getOriginalMessage()
              : "nested too deeply";
      throw new ConfigException("not valid JSON: " + printable(detail), e);
    }
  }

  private static String place(JsonProcessingException fault) {
    JsonLocation at = fault.getLocation();
    return at == null ? "" : "line " + at.getLineNr() + ", column " + at.getColumnNr() + ": ";
  }

  /** Reads a configuration from a JSON tree; see {@link #read}. */
  public static <C> C bind(JsonNode node, Class<C> kind) {
    return kind.cast(value(object(node, ""), kind, null, ""));
  }

  /** Writes a configuration as indented JSON text. */
  public static String toJson(Object config) {
    return write(config).toPrettyString() + "\n";
  }

  /** Writes a configuration as a JSON tree with every field, defaults included. */
  public static JsonNode write(Object config) {
    JsonNodeFactory make = JsonNodeFactory.instance;
    if (config == null) {
      return make.nullNode();
    }
    if (config instanceof Record record) {
      ObjectNode object = make.objectNode();
      if (config instanceof Part part) {
        object.put(typeKey(part.getClass()), part.type());
      }
      for (RecordComponent component : record.getClass().getRecordComponents()) {
        JsonNode value = write(get(component, record));
        if (isFlat(component)) {
          object.setAll((ObjectNode) value);
        } else {
          object.set(component.getName(), value);
        }
      }
      return object;
    }
    if (config instanceof List<?> list) {
      ArrayNode array = make.arrayNode();
      list.forEach(item -> array.add(write(item)));
      return array;
    }
    if (config instanceof Enum<?> constant) {
      return make.textNode(spelled(constant));
    }
    return JSON.valueToTree(config);
  }

  /**
   * Names and default configurations of all parts of a kind, in alphabetical order: those that
   * {@link ServiceLoader} finds with the thread's context class loader, or with the class loader of
   * the kind if the context class loader cannot see the kind. A part that cannot be loaded, or is
   * named like another one, is reported in the log and left out.
   */
  public static <P extends Part> Map<String, P> parts(Class<P> kind) {
    Map<String, P> parts = new TreeMap<>();
    Configs.class.getModule().addUses(kind); // kinds of other modules too
    for (P part : Services.sound(ServiceLoader.load(kind, loader(kind)))) {
      P other = parts.putIfAbsent(part.type(), part);
      if (other != null) {
        Services.report(
            part.getClass().getName(), "named '" + part.type() + "' like " + other.getClass());
      }
    }
    return parts;
  }

  private static ClassLoader loader(Class<?> kind) {
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    try {
      boolean known = context != null && context.loadClass(kind.getName()) == kind;
      return known ? context : kind.getClassLoader();
    } catch (ClassNotFoundException e) {
      return kind.getClassLoader();
    }
  }

  /**
   * Sets a field of a configuration in JSON by its path. A part may be given by its type alone, as
   * an object, or by fields that replace some of the present ones. Setting the type, as in {@code
   * mixer=pooling} or {@code mixer.type=pooling}, replaces the part by the defaults of that type.
   * Values are checked by {@link #bind} only, so that several fields that fit only together can be
   * set one after the other.
   *
   * @param tree the configuration, changed in place
   * @param kind the record class of the configuration
   * @param path names joined by dots, such as {@code model.ffn.activation}
   * @param value JSON, in which quotes may be left out: {@code 3}, {@code relu}, {@code {type:
   *     flow}}
   * @throws ConfigException if there is no such field or type
   */
  public static void set(ObjectNode tree, Class<? extends Record> kind, String path, String value) {
    FieldPath.set(tree, (Record) defaults(kind), path, value);
  }

  /**
   * Lists the fields of a configuration as they appear in JSON, with their values. For a part's
   * default configuration these are the settable fields and their defaults.
   *
   * @param config a record
   */
  public static List<ConfigField> fields(Record config) {
    List<ConfigField> fields = new ArrayList<>();
    for (RecordComponent component : config.getClass().getRecordComponents()) {
      Object value = get(component, config);
      if (isFlat(component)) {
        fields.addAll(fields((Record) value));
      } else {
        fields.add(
            new ConfigField(
                config.getClass(),
                component.getName(),
                component.getGenericType(),
                value,
                formerNames(component)));
      }
    }
    return List.copyOf(fields);
  }

  /** Lists the fields of a record with its default values, those of the no-argument constructor. */
  public static List<ConfigField> fields(Class<?> kind) {
    return fields((Record) defaults(kind));
  }

  /**
   * Replaces every part or other record of a kind, at any depth of a configuration, by the result
   * of {@code change}.
   *
   * @throws ConfigException if the configuration cannot hold a result
   */
  public static <C, P> C replace(C config, Class<P> kind, UnaryOperator<P> change) {
    @SuppressWarnings("unchecked") // a record is rebuilt as an instance of its own class
    C replaced = (C) replaced(config, kind, change);
    return replaced;
  }

  private static <P> Object replaced(Object value, Class<P> kind, UnaryOperator<P> change) {
    if (kind.isInstance(value)) {
      return change.apply(kind.cast(value));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(item -> replaced(item, kind, change)).toList();
    }
    if (!(value instanceof Record record)) {
      return value;
    }
    RecordComponent[] components = record.getClass().getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      values[i] = replaced(get(components[i], record), kind, change);
    }
    return construct(record.getClass(), components, values, "");
  }

  private static Object value(JsonNode node, Type type, Object fallback, String path) {
    if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
      return list(node, list.getActualTypeArguments()[0], path);
    }
    if (!(withoutArguments(type) instanceof Class<?> kind)) {
      throw new IllegalStateException("configurations cannot hold a " + type);
    }
    if (node.isNull() && !kind.isPrimitive() && fallback == null && !path.endsWith("]")) {
      return null;
    }
    if (isPartKind(kind)) {
      return part(node, kind.asSubclass(Part.class), fallback, path);
    }
    if (kind.isRecord()) {
      Object base = kind.isInstance(fallback) ? fallback : defaults(kind);
      ObjectNode object = object(node, path);
      return record(
          base instanceof Part part ? withoutType(object, part, path) : object, kind, base, path);
    }
    if (kind.isEnum()) {
      return constant(node, kind, path);
    }
    return scalar(node, kind, path);
  }

  private static Object scalar(JsonNode node, Class<?> kind, String path) {
    if (kind == boolean.class || kind == Boolean.class) {
      return expect(node.isBoolean(), node, "true or false", path).booleanValue();
    }
    if (kind == String.class) {
      return expect(node.isTextual(), node, "a string", path).textValue();
    }
    if (kind == int.class || kind == Integer.class) {
      return expect(
              node.canConvertToExactIntegral() && node.canConvertToInt(), node, "an integer", path)
          .intValue();
    }
    if (kind == long.class || kind == Long.class) {
      return expect(
              node.canConvertToExactIntegral() && node.canConvertToLong(), node, "an integer", path)
          .longValue();
    }
    if (kind == double.class || kind == Double.class) {
      return expect(node.isNumber() && Double.isFinite(node.doubleValue()), node, "a number", path)
          .doubleValue();
    }
    throw new IllegalStateException("configurations cannot hold a " + kind);
  }

  private static JsonNode expect(boolean holds, JsonNode node, String expected, String path) {
    if (!holds) {
      throw new ConfigException(
          at(path) + "is " + abbreviate(node.toString()) + ": expected " + expected);
    }
    return node;
  }

  private static List<Object> list(JsonNode node, Type element, String path) {
    expect(node.isArray(), node, "a list", path);
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      items.add(value(node.get(i), element, null, path + "[" + i + "]"));
    }
    return List.copyOf(items);
  }

  private static Object constant(JsonNode node, Class<?> kind, String path) {
    List<String> names =
        Arrays.stream(kind.getEnumConstants()).map(c -> spelled((Enum<?>) c)).toList();
    int index = node.isTextual() ? names.indexOf(node.textValue()) : -1;
    expect(index >= 0, node, "one of " + String.join(", ", names), path);
    return kind.getEnumConstants()[index];
  }

  /** Spells an enum constant as in JSON: {@code PRE_NORM} as {@code pre-norm}. */
  private static String spelled(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Object part(
      JsonNode node, Class<? extends Part> kind, Object fallback, String path) {
    ObjectNode object = object(node, path);
    String key = typeKey(kind);
    JsonNode named = object.get(key);
    if (named == null) {
      if (fallback == null) {
        throw new ConfigException(at(path) + "lacks the field '" + key + "'");
      }
      return record(object, fallback.getClass(), fallback, path);
    }
    String name = expect(named.isTextual(), named, "a string", below(path, key)).textValue();
    Part base = named(kind, name, below(path, key));
    ObjectNode fields = object.deepCopy();
    fields.remove(key);
    return record(fields, base.getClass(), base, path);
  }

  /**
   * Removes the type field of a part whose class is known, after checking that it names that class.
   */
  private static ObjectNode withoutType(ObjectNode object, Part part, String path) {
    String key = typeKey(part.getClass());
    JsonNode named = object.get(key);
    if (named == null) {
      return object;
    }
    String name = expect(named.isTextual(), named, "a string", below(path, key)).textValue();
    if (!isNamed(part, name)) {
      throw new ConfigException(
          at(below(path, key)) + "is '" + abbreviate(name) + "': expected '" + part.type() + "'");
    }
    ObjectNode fields = object.deepCopy();
    fields.remove(key);
    return fields;
  }

  private static boolean isNamed(Part part, String name) {
    return part.type().equals(name) || formerNames(part.getClass()).contains(name);
  }

  /**
   * Finds the part of a kind by its present or a former name; {@code path} is the field that holds
   * the name.
   */
  static Part named(Class<? extends Part> kind, String name, String path) {
    Map<String, ? extends Part> known = parts(kind);
    Part found = known.get(name);
    for (Part part : known.values()) {
      found = found == null && isNamed(part, name) ? part : found;
    }
    if (found == null) {
      throw new ConfigException(
          at(path)
              + "is '"
              + abbreviate(name)
              + "', which is not known"
              + Nearest.hint(name, known.keySet())
              + " (known: "
              + String.join(", ", known.keySet())
              + ")");
    }
    return found;
  }

  private static Object record(ObjectNode object, Class<?> kind, Object base, String path) {
    List<RecordComponent> fields = leaves(kind);
    List<String> names = fields.stream().map(RecordComponent::getName).toList();
    object
        .fieldNames()
        .forEachRemaining(
            field -> {
              if (!names.contains(field) && !isFormerName(field, fields)) {
                throw new ConfigException(
                    at(abbreviate(below(path, field)))
                        + "is not a known field"
                        + Nearest.hint(field, names)
                        + " (known: "
                        + String.join(", ", names)
                        + ")");
              }
            });
    return fill(object, kind, base, path);
  }

  /** Builds a record from the given fields, and from the base for those that are missing. */
  private static Object fill(ObjectNode object, Class<?> kind, Object base, String path) {
    RecordComponent[] components = kind.getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      Object fallback = get(component, base);
      JsonNode given = given(object, component);
      if (isFlat(component)) {
        values[i] = fill(object, component.getType(), fallback, path);
      } else {
        values[i] =
            given == null
                ? fallback
                : value(
                    given, component.getGenericType(), fallback, below(path, component.getName()));
      }
    }
    return construct(kind, components, values, path);
  }

  /** The components that are fields in JSON, including those inside flat components. */
  private static List<RecordComponent> leaves(Class<?> kind) {
    List<RecordComponent> leaves = new ArrayList<>();
    for (RecordComponent component : kind.getRecordComponents()) {
      if (isFlat(component)) {
        leaves.addAll(leaves(component.getType()));
      } else {
        leaves.add(component);
      }
    }
    return leaves;
  }

  /** The class of a kind of part that has type arguments; other types as they are. */
  static Type withoutArguments(Type type) {
    return type instanceof ParameterizedType part
            && part.getRawType() instanceof Class<?> raw
            && isPartKind(raw)
        ? raw
        : type;
  }

  /** Whether a class is the interface of a kind of part. */
  static boolean isPartKind(Class<?> kind) {
    return kind.isInterface() && Part.class.isAssignableFrom(kind);
  }

  private static boolean isFlat(RecordComponent component) {
    return component.isAnnotationPresent(Flat.class);
  }

  private static String below(String path, String field) {
    return path.isEmpty() ? field : path + "." + field;
  }

  private static List<String> formerNames(AnnotatedElement element) {
    FormerNames names = element.getAnnotation(FormerNames.class);
    return names == null ? List.of() : List.of(names.value());
  }

  private static boolean isFormerName(String field, List<RecordComponent> fields) {
    return fields.stream().anyMatch(c -> formerNames(c).contains(field));
  }

  /** The value given for a field under its present name or a former one; null if there is none. */
  private static JsonNode given(ObjectNode object, RecordComponent component) {
    JsonNode given = object.get(component.getName());
    for (String former : formerNames(component)) {
      given = given == null ? object.get(former) : given;
    }
    return given;
  }

  private static Object construct(
      Class<?> kind, RecordComponent[] components, Object[] values, String path) {
    try {
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      var constructor = kind.getDeclaredConstructor(types);
      open(kind, constructor);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException
          || e.getCause() instanceof ConfigException) {
        throw new ConfigException(
            (path.isEmpty() ? "" : path + ": ") + e.getCause().getMessage(), e.getCause());
      }
      throw new IllegalStateException("cannot construct " + kind, e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot construct " + kind, e);
    }
  }

  static Object defaults(Class<?> kind) {
    try {
      var constructor = kind.getDeclaredConstructor();
      open(kind, constructor);
      return constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(kind + " needs a no-argument constructor for defaults", e);
    }
  }

  /** Makes a member of a record accessible, whatever its visibility. */
  private static void open(Class<?> owner, AccessibleObject member) {
    try {
      member.setAccessible(true);
    } catch (InaccessibleObjectException e) {
      throw new IllegalStateException(
          "the fields of "
              + owner.getName()
              + " cannot be read: the module-info.java of the module "
              + owner.getModule().getName()
              + " must say 'opens "
              + owner.getPackageName()
              + " to "
              + Configs.class.getModule().getName()
              + ";'",
          e);
    }
  }

  private static Object get(RecordComponent component, Object record) {
    try {
      var accessor = component.getAccessor();
      open(component.getDeclaringRecord(), accessor);
      return accessor.invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  private static ObjectNode object(JsonNode node, String path) {
    return (ObjectNode) expect(node.isObject(), node, "an object", path);
  }

  static String typeKey(Class<?> kind) {
    TypeKey key = declaredKey(kind);
    return key == null ? "type" : key.value();
  }

  /** Finds the type key of a class or of one of its interfaces; null if there is none. */
  private static TypeKey declaredKey(Class<?> kind) {
    TypeKey key = kind.getAnnotation(TypeKey.class);
    for (Class<?> face : kind.getInterfaces()) {
      key = key == null ? declaredKey(face) : key;
    }
    return key;
  }

  private static String at(String path) {
    return path.isEmpty() ? "the configuration " : path + " ";
  }

  static String abbreviate(String text) {
    String printable = printable(text);
    return printable.length() > 80 ? printable.substring(0, 80) + "…" : printable;
  }

  private static String printable(String text) {
    return text.chars()
        .mapToObj(c -> Character.isISOControl(c) ? "?" : Character.toString(c))
        .collect(Collectors.joining());
  }
}
