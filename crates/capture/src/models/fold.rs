//! Folding: an ONNX file in, the same function with plain fp32 weights out. The same input always gives the same bytes.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::onnx::{Dimension, FLOAT, Graph, INT8, INT32, INT64, Model, Node, Tensor, UINT8, ValueInfo};
use crate::error::CaptureError;

/// Which sizes of input the folded model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSize {
    /// The ones that the file declares.
    AsDeclared,
    /// Any height and width that its operators allow: the last two dimensions of each input become symbolic, and the
    /// shapes of the outputs are left open.
    Any,
}

/// Multiplies quantised weights out to fp32, drops what only training needs (Dropout, stale inputs, unused constants)
/// and returns the bytes of a model that computes the same.
///
/// # Errors
/// When the file is no ONNX model, uses parts of the format that are not known here, or quantises something that is not
/// a constant.
pub fn fold(bytes: &[u8], input: InputSize) -> Result<Vec<u8>, CaptureError> {
    let mut model = Model::decode(bytes).map_err(|error| refuse(format!("it is no ONNX file ({error})")))?;
    if model.encoded_len() != bytes.len() {
        return Err(refuse("it uses parts of the ONNX format that are not known here"));
    }
    let graph = model.graph.as_mut().ok_or_else(|| refuse("it has no graph"))?;
    fold_weights(graph)?;
    drop_dropout(graph);
    drop_unused(graph);
    graph.value_info.clear();
    if input == InputSize::Any {
        graph.input.iter_mut().for_each(open_height_and_width);
        graph.output.iter_mut().for_each(|output| set_dims(output, |dims| dims.clear()));
    }
    Ok(model.encode_to_vec())
}

/// Replaces each DequantizeLinear of constants, and each Reshape of such a result, by a constant.
fn fold_weights(graph: &mut Graph) -> Result<(), CaptureError> {
    let mut constants: HashMap<String, Tensor> = HashMap::new();
    for tensor in &graph.initializer {
        constants.insert(tensor.name().to_owned(), tensor.clone());
    }
    let mut folded: HashSet<String> = HashSet::new();
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node) {
        let output = node.output.first().cloned().unwrap_or_default();
        let mut tensor = match node.op_type() {
            "DequantizeLinear" => dequantise(&node, &constants)?,
            "Reshape" if node.input.first().is_some_and(|name| folded.contains(name)) => reshape(&node, &constants)?,
            _ => {
                nodes.push(node);
                continue;
            }
        };
        tensor.name = Some(output.clone());
        graph.initializer.push(tensor.clone());
        constants.insert(output.clone(), tensor);
        folded.insert(output);
    }
    graph.node = nodes;
    Ok(())
}

/// y = (x - zero_point) * scale, ONNX operator DequantizeLinear, version 21: one scale for all, one for each slice
/// along an axis, or one for each block of `block_size` along an axis.
fn dequantise(node: &Node, constants: &HashMap<String, Tensor>) -> Result<Tensor, CaptureError> {
    let constant = |at: usize| node.input.get(at).and_then(|name| constants.get(name));
    let quantised = constant(0).ok_or_else(|| refuse("a value that is no constant is quantised"))?;
    let scale = constant(1).ok_or_else(|| refuse("a scale is no constant"))?;
    let values = integers(quantised)?;
    let scales = floats(scale)?;
    let zero_points = match constant(2) {
        Some(tensor) => integers(tensor)?,
        None => vec![0; scales.len()],
    };
    let dims = sizes(quantised)?;
    if values.is_empty() || product(&quantised.dims) != i64::try_from(values.len()).ok() {
        return Err(refuse("a quantised weight has another size than its shape says"));
    }
    let scale_at = scale_index(node, &dims, &sizes(scale)?)?;
    let mut data = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let block = scale_at(index);
        let (Some(zero_point), Some(scale)) = (zero_points.get(block), scales.get(block)) else {
            return Err(refuse("a quantised weight has too few scales"));
        };
        data.push(value.wrapping_sub(*zero_point) as f32 * scale);
    }
    Ok(float_tensor(quantised.dims.clone(), &data))
}

/// The function from an element's position to the position of its scale.
fn scale_index(node: &Node, dims: &[usize], scale_dims: &[usize]) -> Result<impl Fn(usize) -> usize + use<>, CaptureError> {
    let setting = |name: &str| node.attribute.iter().find(|a| a.name() == name).and_then(|a| a.i);
    let whole = scale_dims.iter().all(|dim| *dim == 1);
    let axis = setting("axis").unwrap_or(1);
    let axis = if axis < 0 { axis.saturating_add(dims.len() as i64) } else { axis };
    let axis = usize::try_from(axis).ok().filter(|axis| *axis < dims.len());
    let Some(axis) = axis.or(whole.then_some(0)) else {
        return Err(refuse("a weight is quantised along an axis that it does not have"));
    };
    let length = dims.get(axis).copied().unwrap_or(1);
    let inner: usize = dims.iter().skip(axis + 1).product();
    let block = usize::try_from(setting("block_size").unwrap_or(0)).map_err(|_| refuse("a block size is negative"))?;
    if !whole && block > 0 && scale_dims.get(axis).copied() != Some(length.div_ceil(block)) {
        return Err(refuse("a weight's scales do not match its blocks"));
    }
    Ok(move |index: usize| {
        let along = index / inner.max(1) % length.max(1);
        match (whole, block) {
            (true, _) => 0,
            (false, 0) => along,
            (false, block) => {
                let outer = index / (inner * length).max(1);
                (outer * length.div_ceil(block) + along / block) * inner + index % inner.max(1)
            }
        }
    })
}

/// Gives a folded constant the shape that the node's second input says; 0 keeps a dimension, -1 takes what is left.
fn reshape(node: &Node, constants: &HashMap<String, Tensor>) -> Result<Tensor, CaptureError> {
    let constant = |at: usize| node.input.get(at).and_then(|name| constants.get(name));
    let (Some(tensor), Some(shape)) = (constant(0), constant(1)) else {
        return Err(refuse("a weight is reshaped to a shape that is no constant"));
    };
    let mut dims = wide_integers(shape)?;
    for (at, dim) in dims.iter_mut().enumerate() {
        if *dim == 0 {
            *dim = tensor.dims.get(at).copied().unwrap_or(0);
        }
    }
    let known: Vec<i64> = dims.iter().copied().filter(|dim| *dim != -1).collect();
    let (total, known) = (product(&tensor.dims), product(&known));
    for dim in dims.iter_mut().filter(|dim| **dim == -1) {
        *dim = total.unwrap_or(0) / known.unwrap_or(1).max(1);
    }
    if total.is_none() || product(&dims) != total {
        return Err(refuse("a weight is reshaped to another size"));
    }
    Ok(Tensor { dims, ..tensor.clone() })
}

/// Dropout does nothing outside training: whoever reads its output reads its input instead.
fn drop_dropout(graph: &mut Graph) {
    let outputs: HashSet<String> = graph.output.iter().map(|output| output.name().to_owned()).collect();
    let mut renamed: HashMap<String, String> = HashMap::new();
    graph.node.retain_mut(|node| {
        for input in &mut node.input {
            if let Some(name) = renamed.get(input) {
                input.clone_from(name);
            }
        }
        let droppable = node.op_type() == "Dropout" && node.output.iter().all(|name| !outputs.contains(name));
        if let (true, Some(input), Some(output)) = (droppable, node.input.first(), node.output.first()) {
            renamed.insert(output.clone(), input.clone());
        }
        !droppable
    });
}

/// Keeps only nodes, constants and inputs from which an output is computed.
fn drop_unused(graph: &mut Graph) {
    let mut needed: HashSet<String> = graph.output.iter().map(|output| output.name().to_owned()).collect();
    let mut nodes = std::mem::take(&mut graph.node);
    // Nodes come in an order in which they can be computed, so one walk from the end sees every reader first.
    nodes.reverse();
    nodes.retain(|node| {
        let used = node.output.iter().any(|name| needed.contains(name));
        if used {
            needed.extend(node.input.iter().cloned());
        }
        used
    });
    nodes.reverse();
    graph.node = nodes;
    graph.initializer.retain(|tensor| needed.contains(tensor.name()));
    let constants: HashSet<&str> = graph.initializer.iter().map(Tensor::name).collect();
    graph.input.retain(|input| needed.contains(input.name()) && !constants.contains(input.name()));
}

fn open_height_and_width(input: &mut ValueInfo) {
    set_dims(input, |dims| {
        let rank = dims.len();
        for (dim, name) in dims.iter_mut().skip(rank.saturating_sub(2)).zip(["height", "width"]) {
            *dim = Dimension { value: None, param: Some(name.to_owned()) };
        }
    });
}

fn set_dims(value: &mut ValueInfo, change: impl FnOnce(&mut Vec<Dimension>)) {
    let tensor = value.value_type.as_mut().and_then(|value_type| value_type.tensor.as_mut());
    let Some(tensor) = tensor else { return };
    if let Some(shape) = tensor.shape.as_mut() {
        change(&mut shape.dim);
    }
    // An empty shape would mean a scalar; an absent one means that nothing is said.
    if tensor.shape.as_ref().is_some_and(|shape| shape.dim.is_empty()) {
        tensor.shape = None;
    }
}

fn float_tensor(dims: Vec<i64>, data: &[f32]) -> Tensor {
    let raw = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor { dims, data_type: Some(FLOAT), raw_data: Some(raw), ..Tensor::default() }
}

fn sizes(tensor: &Tensor) -> Result<Vec<usize>, CaptureError> {
    let sizes = tensor.dims.iter().map(|dim| usize::try_from(*dim));
    sizes.collect::<Result<_, _>>().map_err(|_| refuse("a shape is negative"))
}

/// How many elements a shape has; none when one dimension is negative or they are too many to count.
fn product(dims: &[i64]) -> Option<i64> {
    dims.iter().try_fold(1i64, |total, dim| if *dim < 0 { None } else { total.checked_mul(*dim) })
}

fn integers(tensor: &Tensor) -> Result<Vec<i32>, CaptureError> {
    match (tensor.data_type(), tensor.raw_data.as_deref()) {
        (INT8, Some(raw)) => Ok(raw.iter().map(|byte| i32::from(byte.cast_signed())).collect()),
        (UINT8, Some(raw)) => Ok(raw.iter().map(|byte| i32::from(*byte)).collect()),
        (INT32, Some(raw)) => Ok(words(raw).map(i32::from_le_bytes).collect()),
        (INT8 | UINT8 | INT32, None) => Ok(tensor.int32_data.clone()),
        (other, _) => Err(refuse(format!("weights of element type {other} are not known here"))),
    }
}

fn wide_integers(tensor: &Tensor) -> Result<Vec<i64>, CaptureError> {
    match (tensor.data_type(), tensor.raw_data.as_deref()) {
        (INT64, Some(raw)) => Ok(words(raw).map(i64::from_le_bytes).collect()),
        (INT64, None) => Ok(tensor.int64_data.clone()),
        (other, _) => Err(refuse(format!("a shape of element type {other} is not known here"))),
    }
}

fn floats(tensor: &Tensor) -> Result<Vec<f32>, CaptureError> {
    match (tensor.data_type(), tensor.raw_data.as_deref()) {
        (FLOAT, Some(raw)) => Ok(words(raw).map(f32::from_le_bytes).collect()),
        (FLOAT, None) => Ok(tensor.float_data.clone()),
        (other, _) => Err(refuse(format!("scales of element type {other} are not known here"))),
    }
}

fn words<const N: usize>(raw: &[u8]) -> impl Iterator<Item = [u8; N]> {
    raw.as_chunks::<N>().0.iter().copied()
}

fn refuse(reason: impl Into<String>) -> CaptureError {
    CaptureError::ModelNotFoldable { reason: reason.into() }
}
